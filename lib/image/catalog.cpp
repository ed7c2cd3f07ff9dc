// Images and their names in a store.

#include "image/catalog.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "image/document.hpp"
#include "image/manifest.hpp"
#include "image/stage.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::image {
namespace {

constexpr std::uint64_t most_document = 64ULL << 20U;
// Records can be large: a line for each file.
constexpr std::uint64_t most_record = 4ULL << 30U;

nlohmann::json to_json(const StoredImage& stored) {
  const Image& image = stored.image;
  auto layers = nlohmann::json::array();
  for (std::size_t i = 0; i < image.layers.size(); ++i)
    layers.push_back({{"diff_id", image.layers[i].diff_id},
                      {"record", stored.records[i].to_string()},
                      {"bytes", image.layers[i].bytes},
                      {"entries", image.layers[i].entries}});
  const auto imported =
      std::chrono::duration_cast<std::chrono::seconds>(image.imported.time_since_epoch());
  return {{"id", image.id},
          {"digests", image.digests},
          {"imported", static_cast<std::uint64_t>(std::max<std::int64_t>(imported.count(), 0))},
          {"bytes", image.bytes},
          {"entries", image.entries},
          {"devices_skipped", image.devices_skipped},
          {"xattrs_dropped", image.xattrs_dropped},
          {"layers", std::move(layers)}};
}

Result<> read_layers(const nlohmann::json& json, StoredImage& stored, const std::string& what) {
  for (const auto& item : SOCK_TRY(list_of(json, "layers", what))) {
    const auto diff_id = SOCK_TRY(text_of(item, "diff_id", what));
    const auto record = SOCK_TRY(text_of(item, "record", what));
    stored.layers.push_back(SOCK_TRY(store::Digest::parse(diff_id, what)));
    stored.records.push_back(SOCK_TRY(store::Digest::parse(record, what)));
    const auto bytes = SOCK_TRY(number_of(item, "bytes", what));
    const auto entries = SOCK_TRY(number_of(item, "entries", what));
    stored.image.layers.push_back({.diff_id = diff_id, .bytes = bytes, .entries = entries});
  }
  if (stored.layers.empty()) return corrupt(what, "it has no layers");
  return {};
}

// The config is kept as it came, and is what its name says or is not used.
Result<> read_config(const StoreDirectory& store, const store::Digest& id, Image& image) {
  const auto text = SOCK_TRY(sys::read_file(store.documents, id.hex(), most_document));
  if (store::Digest::of(text) != id)
    return corrupt("documents/" + id.hex(), "it hashes to another");
  Config config =
      SOCK_TRY(parse_config(text, {.layers_max = 100'000, .document_max = most_document}));
  image.architecture = std::move(config.architecture);
  image.os = std::move(config.os);
  image.created = std::move(config.created);
  image.config = std::move(config.run);
  return {};
}

std::unexpected<Error> no_image(const std::string& reference) {
  return base::refuse(Errc::not_found, image_stage, "image " + reference,
                      "sockctl image ls shows what there is");
}

}  // namespace

store::Digest chain_of(const std::vector<store::Digest>& diff_ids) {
  store::Digest chain = diff_ids.front();
  for (std::size_t i = 1; i < diff_ids.size(); ++i)
    chain = store::Digest::of(chain.to_string() + " " + diff_ids[i].to_string());
  return chain;
}

std::string root_path(const StoredImage& stored) {
  return (stored.layers.size() == 1 ? "layers/" : "roots/") + stored.chain.hex() + "/tree";
}

Result<store::TreeRecord> load_record(const StoreDirectory& store, const StoredImage& stored,
                                      std::size_t layer) {
  const std::string name = "layers/" + stored.layers[layer].hex() + "/record";
  const auto text = sys::read_file(store.top, name, most_record);
  if (!text.has_value() || store::Digest::of(*text) != stored.records[layer])
    return store::corrupt(name, "it is missing, or another");
  return store::TreeRecord::parse(*text);
}

Result<store::TreeRecord> load_root_record(const StoreDirectory& store, const StoredImage& stored) {
  store::TreeRecord merged;
  for (std::size_t i = 0; i < stored.layers.size(); ++i) {
    const auto record = SOCK_TRY(load_record(store, stored, i));
    store::merge_layer(merged, record, i);
  }
  return merged;
}

Result<Names> load_names(const StoreDirectory& store) {
  Names names;
  for (const auto& file : SOCK_TRY(base::in_stage(image_stage, sys::list_dir(store.names)))) {
    const auto name = image_name_of(file);
    if (!name) continue;
    const auto text = sys::read_file(store.names, file, 256);
    if (!text.has_value() && text.error().code == Errc::not_found) continue;  // Removed meanwhile.
    if (!text.has_value()) return std::unexpected(text.error());
    const std::string_view line{*text};
    const auto digest =
        SOCK_TRY(store::Digest::parse(line.substr(0, line.find('\n')), "names/" + file));
    names.emplace(*name, digest);
  }
  return names;
}

Result<StoredImage> load_image(const StoreDirectory& store, const store::Digest& id,
                               const Names& names) {
  const std::string what = "images/" + id.hex();
  const auto text =
      SOCK_TRY(base::in_stage(image_stage, sys::read_file(store.images, id.hex(), most_document)));
  const auto json = SOCK_TRY(parse_document(text, most_document, what));
  StoredImage stored{.image = {.id = id.to_string()}, .chain = id, .layers = {}, .records = {}};
  Image& image = stored.image;
  image.digests = SOCK_TRY(texts_of(json, "digests", what));
  const auto imported = SOCK_TRY(number_of(json, "imported", what));
  image.imported = std::chrono::system_clock::time_point{std::chrono::seconds{imported}};
  image.bytes = SOCK_TRY(number_of(json, "bytes", what));
  image.entries = SOCK_TRY(number_of(json, "entries", what));
  image.devices_skipped = SOCK_TRY(number_of(json, "devices_skipped", what));
  image.xattrs_dropped = SOCK_TRY(number_of(json, "xattrs_dropped", what));
  SOCK_TRY(read_layers(json, stored, what));
  stored.chain = chain_of(stored.layers);
  SOCK_TRY(base::in_stage(image_stage, read_config(store, id, image)));
  for (const auto& [name, target] : names)
    if (target == id) image.names.push_back(name);
  return stored;
}

Result<std::vector<StoredImage>> load_images(const StoreDirectory& store) {
  const Names names = SOCK_TRY(load_names(store));
  std::vector<StoredImage> images;
  for (const auto& file : SOCK_TRY(base::in_stage(image_stage, sys::list_dir(store.images)))) {
    const auto id = store::Digest::from_hex(file, "images/" + file);
    if (!id.has_value()) continue;
    auto stored = load_image(store, *id, names);
    if (!stored.has_value() && stored.error().code == Errc::not_found)
      continue;  // Removed meanwhile, or without its document.
    if (!stored.has_value()) return std::unexpected(std::move(stored).error());
    images.push_back(std::move(*stored));
  }
  return images;
}

Result<std::size_t> count_images(const StoreDirectory& store) {
  std::size_t count = 0;
  for (const auto& file : SOCK_TRY(base::in_stage(image_stage, sys::list_dir(store.images))))
    if (store::Digest::from_hex(file, "images/" + file).has_value()) ++count;
  return count;
}

Result<StoredImage> find_image(const StoreDirectory& store, const Reference& reference,
                               const std::string& as_given) {
  const auto is_meant = [&](const Image& image) {
    const auto digest = reference.digest ? reference.digest->to_string() : image.id;
    const bool has_digest =
        image.id == digest || std::ranges::find(image.digests, digest) != image.digests.end();
    return has_digest && (reference.name.empty() ||
                          std::ranges::find(image.names, reference.name) != image.names.end());
  };
  if (!reference.name.empty()) {
    const Names names = SOCK_TRY(load_names(store));
    const auto found = names.find(reference.name);
    if (found == names.end()) return no_image(as_given);
    auto stored = SOCK_TRY(load_image(store, found->second, names));
    if (!is_meant(stored.image)) return no_image(as_given);
    return stored;
  }
  for (auto& stored : SOCK_TRY(load_images(store)))
    if (is_meant(stored.image)) return std::move(stored);
  return no_image(as_given);
}

Result<> save_image(const StoreDirectory& store, const store::Staging& staging,
                    const StoredImage& stored) {
  const auto id = SOCK_TRY(store::Digest::parse(stored.image.id, "image"));
  return staging.write_and_publish(store.images, id.hex(), to_json(stored).dump(1) + "\n");
}

Result<> save_name(const StoreDirectory& store, const store::Staging& staging,
                   const std::string& name, const store::Digest& id) {
  return staging.write_and_publish(store.names, file_name_of(name), id.to_string() + "\n");
}

Result<> remove_name(const StoreDirectory& store, const std::string& name) {
  SOCK_TRY(base::in_stage(image_stage, sys::remove_file(store.names, file_name_of(name))));
  return base::in_stage(image_stage, sys::sync_file(store.names));
}

}  // namespace sock::image
