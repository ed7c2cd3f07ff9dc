// One import: locking, unpacking, assembling. importer_publish.cpp has the rest.

#include "image/importer.hpp"

#include <algorithm>

#include <fcntl.h>
#include <unistd.h>

#include "base/try.hpp"
#include "image/document.hpp"
#include "image/layer_stream.hpp"
#include "image/stage.hpp"
#include "store/archive_reader.hpp"
#include "store/directory_copy.hpp"
#include "store/entry_path.hpp"
#include "store/tree_writer.hpp"
#include "sys/file.hpp"

namespace sock::image {
namespace {

constexpr std::uint64_t most_record = 4ULL << 30U;

// Errors of a layer say which.
template <class T>
Result<T> in_layer(const store::Digest& diff_id, Result<T> result) {
  if (result.has_value()) return result;
  Error error = std::move(result).error();
  if (error.stage == Stage::none) error.stage = image_stage;
  error.subject = "layer " + diff_id.hex().substr(0, 12) +
                  (error.subject == "layer" ? "" : ": " + error.subject);
  return std::unexpected(std::move(error));
}

Result<> add_entry(store::TreeWriter& writer, store::ArchiveEntry entry,
                   store::ArchiveReader& reader, const ImportLimits& limits) {
  auto decision = SOCK_TRY(store::decide_entry(entry.path, limits));
  switch (decision.action) {
    case store::EntryDecision::Action::ignore:
      break;
    case store::EntryDecision::Action::whiteout:
      writer.note_whiteout(std::move(decision.path));
      break;
    case store::EntryDecision::Action::opaque:
      writer.note_opaque(std::move(decision.path));
      break;
    case store::EntryDecision::Action::place:
      // Nor is what it replaces in a layer below.
      if (writer.leaves_out(entry)) writer.note_whiteout(decision.path);
      return writer.add(decision.path, std::move(entry), reader);
  }
  return {};
}

Result<> check_layer_sizes(const SourceImage& source) {
  for (const auto& layer : source.layers) {
    const Blob blob = SOCK_TRY(source.blobs.find(layer.path));
    if (layer.size && blob.size != *layer.size)
      return corrupt("layer " + layer.path, std::to_string(blob.size) + " bytes, not " +
                                                std::to_string(*layer.size) +
                                                " as its manifest says");
  }
  return {};
}

}  // namespace

Importer::Importer(const StoreDirectory& store, const ImportOptions& options)
    : store_{store},
      options_{options},
      policy_{.limits = options.limits,
              .owners = ::geteuid() == 0 ? store::Owners::as_recorded : store::Owners::ours,
              .devices = options.devices ? store::Devices::make : store::Devices::skip},
      progress_{options.progress, tally_.entries} {}

Result<Image> Importer::run(const ImageSource& source) {
  if (!options_.name.empty()) SOCK_TRY(parse_image_name(options_.name));
  store::tidy_staging(store_);
  locks_ = SOCK_TRY(store::StoreLocks::open(store_));
  if (source.kind == ImageSource::Kind::directory) return import_directory(source);
  const SourceImage image = SOCK_TRY(open_source_image(source, options_));
  return import_blobs(image);
}

Result<Image> Importer::import_blobs(const SourceImage& source) {
  SOCK_TRY(check_layer_sizes(source));
  SOCK_TRY(lock_objects(source.config.diff_ids));
  staging_.emplace(SOCK_TRY(store::Staging::create(store_)));
  SOCK_TRY(unpack(source));
  return finish(source.config, source.config_text, source.manifest_text, source.name);
}

Result<> Importer::lock_objects(const std::vector<store::Digest>& diff_ids) {
  progress_.enter(ImportProgress::Step::waiting);
  struct Object {
    store::Digest digest;
    FdRef place;
  };
  std::map<store::LockKey, Object> objects;
  for (const store::Digest& id : diff_ids)
    objects.emplace(store::LockKey::object(id), Object{id, store_.layers});
  // Of a single layer, the root is the layer itself.
  const store::Digest chain = chain_of(diff_ids);
  if (diff_ids.size() > 1)
    objects.emplace(store::LockKey::object(chain), Object{chain, store_.roots});
  for (const auto& [key, object] : objects) SOCK_TRY(lock_object(object.digest, object.place));
  return {};
}

Result<> Importer::lock_object(const store::Digest& digest, FdRef place) {
  const auto is_there = [&] { return sys::status_at(place, digest.hex()).has_value(); };
  const bool is_missing = SOCK_TRY(locks_->lock_to_make(store::LockKey::object(digest), is_there));
  if (is_missing) missing_.insert(digest);
  return {};
}

Result<> Importer::unpack(const SourceImage& source) {
  std::uint64_t total = 0;
  for (const auto& layer : source.layers)
    if (missing_.contains(layer.diff_id)) {
      const Blob blob = SOCK_TRY(source.blobs.find(layer.path));
      total += blob.size;
    }
  progress_.set_total(total);
  progress_.enter(ImportProgress::Step::unpacking);
  for (const auto& layer : source.layers) {
    if (layers_.contains(layer.diff_id)) continue;
    auto opened =
        missing_.contains(layer.diff_id) ? unpack_layer(source, layer) : open_layer(layer.diff_id);
    auto known = SOCK_TRY(in_layer(layer.diff_id, std::move(opened)));
    layers_.emplace(layer.diff_id, std::move(known));
  }
  return {};
}

Result<Importer::Layer> Importer::unpack_layer(const SourceImage& source,
                                               const SourceLayer& layer) {
  const std::string name = "layer-" + layer.diff_id.hex();
  const UniqueFd directory = SOCK_TRY(staging_->make_dir(name));
  UniqueFd tree = SOCK_TRY(staging_->make_dir(name + "/tree"));
  auto blob = SOCK_TRY(source.blobs.find(layer.path));
  ImportLimits left = options_.limits;
  left.bytes_max -= streamed_bytes_;
  LayerStream stream{std::move(blob), layer.stored, left, progress_};
  SOCK_TRY(stream.start());
  store::TreeRecord record = SOCK_TRY(unpack_stream(stream, tree));
  if (SOCK_TRY(stream.finish()) != layer.diff_id)
    return corrupt("layer", "unpacked, it hashes to another digest than the config says");
  streamed_bytes_ += stream.unpacked_bytes();
  const std::string text = record.to_text();
  SOCK_TRY(staging_->write(name + "/record", text));
  return Layer{.tree = std::move(tree),
               .record = std::move(record),
               .record_digest = store::Digest::of(text),
               .is_new = true};
}

Result<store::TreeRecord> Importer::unpack_stream(LayerStream& stream, FdRef tree) {
  store::ArchiveReader reader{store::ArchiveFormat::tar, stream, {"layer"}, options_.limits};
  store::TreeWriter writer{tree, policy_, tally_};
  while (auto entry = SOCK_TRY(reader.next())) {
    SOCK_TRY(store::count_entry(tally_, options_.limits, entry->path, entry->entry.size));
    SOCK_TRY(add_entry(writer, std::move(*entry), reader, options_.limits));
  }
  return writer.finish();
}

Result<Importer::Layer> Importer::open_layer(const store::Digest& diff_id) const {
  UniqueFd tree =
      SOCK_TRY(sys::open_beneath(store_.layers, diff_id.hex() + "/tree", O_RDONLY | O_DIRECTORY));
  const auto text = SOCK_TRY(sys::read_file(store_.layers, diff_id.hex() + "/record", most_record));
  auto record = SOCK_TRY(store::TreeRecord::parse(text));
  return Layer{.tree = std::move(tree),
               .record = std::move(record),
               .record_digest = store::Digest::of(text),
               .is_new = false};
}

Result<Image> Importer::import_directory(const ImageSource& source) {
  const UniqueFd from = SOCK_TRY(
      base::in_stage(image_stage, sys::open(sys::cwd, source.path, O_RDONLY | O_DIRECTORY)));
  staging_.emplace(SOCK_TRY(store::Staging::create(store_)));
  progress_.enter(ImportProgress::Step::unpacking);
  const std::string copy = "copy";
  const UniqueFd directory = SOCK_TRY(staging_->make_dir(copy));
  UniqueFd tree = SOCK_TRY(staging_->make_dir(copy + "/tree"));
  const store::CopyProgress copied = [this](std::uint64_t bytes) {
    progress_.count_bytes(bytes);
    progress_.tell();
  };
  store::TreeRecord record = SOCK_TRY(
      base::in_stage(image_stage, store::copy_directory(from, tree, policy_, tally_, copied)));
  const std::string text = record.to_text();
  SOCK_TRY(staging_->write(copy + "/record", text));
  // There is no tar stream to hash: the record, which holds the hash of every file, stands for it.
  const store::Digest id = store::Digest::of(text);
  SOCK_TRY(lock_objects({id}));
  SOCK_TRY(staging_->publish(copy, staging_->directory(), "layer-" + id.hex()));
  layers_.emplace(id, Layer{.tree = std::move(tree),
                            .record = std::move(record),
                            .record_digest = id,
                            .is_new = missing_.contains(id)});
  const nlohmann::json config{{"architecture", machine_architecture()},
                              {"os", "linux"},
                              {"config", nlohmann::json::object()},
                              {"rootfs", {{"type", "layers"}, {"diff_ids", {id.to_string()}}}}};
  const std::string config_text = config.dump();
  const auto parsed = SOCK_TRY(parse_config(config_text, options_.limits));
  return finish(parsed, config_text, std::nullopt, name_from_path(source.path, ""));
}

}  // namespace sock::image
