// One export.

#include "image/exporter.hpp"

#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/try.hpp"
#include "image/compressor.hpp"
#include "image/document.hpp"
#include "image/stage.hpp"
#include "store/directory_copy.hpp"
#include "store/staging.hpp"
#include "store/tar_writer.hpp"
#include "store/tree_removal.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::image {
namespace {

constexpr std::uint64_t most_document = 64ULL << 20U;
constexpr const char* manifest_type = "application/vnd.oci.image.manifest.v1+json";

std::string layer_type(Compression compression) {
  const std::string tar = "application/vnd.oci.image.layer.v1.tar";
  if (compression == Compression::none) return tar;
  return tar + (compression == Compression::gzip ? "+gzip" : "+zstd");
}

nlohmann::json descriptor(const std::string& type, const WrittenBlob& blob) {
  return {{"mediaType", type}, {"digest", blob.digest.to_string()}, {"size", blob.size}};
}

/// The tag of "name:tag", for a target that says none.
std::string tag_of(const ImageSource& target, const StoredImage& stored) {
  if (!target.reference.empty()) return target.reference;
  if (stored.image.names.empty()) return "latest";
  const std::string& name = stored.image.names.front();
  return name.substr(name.rfind(':') + 1);
}

/// A directory beside the target, removed unless it has become the target.
class Unfinished {
 public:
  static Result<Unfinished> create(const std::string& target) {
    const std::filesystem::path path{target};
    const std::string above = path.has_parent_path() ? path.parent_path().string() : ".";
    const auto final_name = path.filename().string();
    if (final_name.empty() || final_name == "." || final_name == "..")
      return base::refuse(Errc::invalid_spec, image_stage, target, "it needs a name of its own");
    UniqueFd place = SOCK_TRY(sys::open(sys::cwd, above, O_RDONLY | O_DIRECTORY));
    if (sys::status_at(place, final_name).has_value())
      return base::refuse(Errc::exists, image_stage, target, "it is there already");
    const std::string random = SOCK_TRY(sys::random_hex(8));
    const std::string name = "." + final_name + "." + random;
    SOCK_TRY(sys::make_dir(place, name, 0755));
    auto directory = SOCK_TRY(sys::open_beneath(place, name, O_RDONLY | O_DIRECTORY));
    return Unfinished{std::move(place), name, final_name, std::move(directory)};
  }
  Unfinished(Unfinished&&) noexcept = default;
  Unfinished& operator=(Unfinished&&) = delete;
  ~Unfinished() {
    if (place_) static_cast<void>(store::remove_tree(place_, name_));
  }

  [[nodiscard]] FdRef directory() const noexcept { return directory_; }
  /// Of the whole directory, or of one file in it.
  Result<> publish(const std::string& file = {}) const {
    SOCK_TRY(sys::sync_filesystem(directory_));
    const Result<> moved = file.empty() ? sys::rename(place_, name_, place_, final_name_)
                                        : sys::rename(directory_, file, place_, final_name_);
    SOCK_TRY(moved);
    return sys::sync_file(place_);
  }

 private:
  Unfinished(UniqueFd place, std::string name, std::string final_name, UniqueFd directory) noexcept
      : place_{std::move(place)},
        name_{std::move(name)},
        final_name_{std::move(final_name)},
        directory_{std::move(directory)} {}
  UniqueFd place_;
  std::string name_;
  std::string final_name_;
  UniqueFd directory_;
};

Result<UniqueFd> make_dir(FdRef above, const std::string& name) {
  SOCK_TRY(sys::make_dir(above, name, 0755));
  return sys::open_beneath(above, name, O_RDONLY | O_DIRECTORY);
}

Result<> write_file(FdRef directory, const std::string& name, std::string_view text) {
  const UniqueFd file =
      SOCK_TRY(sys::open_beneath(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644));
  return sys::write_all(file, text);
}

/// The layout's own files into one tar file beside them.
Result<> archive_layout(FdRef directory, const std::string& name) {
  using store::TreeEntry;
  const UniqueFd out =
      SOCK_TRY(sys::open_beneath(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644));
  store::TarWriter tar{[&out](std::string_view bytes) { return sys::write_all(out, bytes); }};
  const auto add = [&](const std::string& path) -> Result<> {
    const UniqueFd file = SOCK_TRY(sys::open_beneath(directory, path, O_RDONLY));
    const auto inode = SOCK_TRY(sys::inode(file));
    return tar.add(path, {.kind = TreeEntry::Kind::file, .mode = 0644, .size = inode.size}, file);
  };
  const TreeEntry plain_directory{.kind = TreeEntry::Kind::directory, .mode = 0755};
  SOCK_TRY(add("oci-layout"));
  SOCK_TRY(add("index.json"));
  SOCK_TRY(tar.add("blobs", plain_directory));
  SOCK_TRY(tar.add("blobs/sha256", plain_directory));
  const UniqueFd blobs =
      SOCK_TRY(sys::open_beneath(directory, "blobs/sha256", O_RDONLY | O_DIRECTORY));
  for (const auto& blob : SOCK_TRY(sys::list_dir(blobs))) SOCK_TRY(add("blobs/sha256/" + blob));
  return tar.end();
}

}  // namespace

Result<> Exporter::run(const ImageSource& target) {
  using Kind = ImageSource::Kind;
  if (target.kind != Kind::oci_layout && target.kind != Kind::oci_archive)
    return base::refuse(Errc::invalid_spec, image_stage, "image target " + target.path,
                        "oci:DIR[:TAG] or oci-archive:FILE[:TAG]");
  const Unfinished unfinished =
      SOCK_TRY(base::in_stage(image_stage, Unfinished::create(target.path)));
  SOCK_TRY(
      base::in_stage(image_stage, write_layout(unfinished.directory(), tag_of(target, stored_))));
  if (target.kind == Kind::oci_layout) return base::in_stage(image_stage, unfinished.publish());
  const std::string archive = "archive";
  SOCK_TRY(base::in_stage(image_stage, archive_layout(unfinished.directory(), archive)));
  return base::in_stage(image_stage, unfinished.publish(archive));
}

Result<> Exporter::write_layout(FdRef directory, const std::string& tag) const {
  const UniqueFd above = SOCK_TRY(make_dir(directory, "blobs"));
  const UniqueFd blobs = SOCK_TRY(make_dir(above, "sha256"));
  std::vector<Layer> layers;
  for (std::size_t i = 0; i < stored_.layers.size(); ++i)
    layers.push_back(SOCK_TRY(write_stored_layer(blobs, i)));
  if (!options_.changes.empty()) layers.push_back(SOCK_TRY(write_changes(blobs)));

  const auto id = SOCK_TRY(store::Digest::parse(stored_.image.id, "image"));
  const auto text = SOCK_TRY(sys::read_file(store_.documents, id.hex(), most_document));
  auto config = SOCK_TRY(parse_document(text, most_document, "image config"));
  auto diff_ids = nlohmann::json::array();
  auto descriptors = nlohmann::json::array();
  for (const auto& layer : layers) {
    diff_ids.push_back(layer.diff_id.to_string());
    descriptors.push_back(descriptor(layer_type(options_.compression), layer.blob));
  }
  config["rootfs"] = {{"type", "layers"}, {"diff_ids", std::move(diff_ids)}};
  if (!options_.changes.empty() && config.contains("history") && config["history"].is_array())
    config["history"].push_back({{"created_by", "sockctl image export --changes"}});
  const auto config_blob = SOCK_TRY(write_blob(blobs, config.dump()));

  const nlohmann::json manifest{
      {"schemaVersion", 2},
      {"mediaType", manifest_type},
      {"config", descriptor("application/vnd.oci.image.config.v1+json", config_blob)},
      {"layers", std::move(descriptors)}};
  const auto manifest_blob = SOCK_TRY(write_blob(blobs, manifest.dump()));
  auto found = descriptor(manifest_type, manifest_blob);
  found["annotations"] = {{"org.opencontainers.image.ref.name", tag}};
  const nlohmann::json index{{"schemaVersion", 2}, {"manifests", {std::move(found)}}};
  SOCK_TRY(write_file(directory, "index.json", index.dump()));
  return write_file(directory, "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
}

Result<Exporter::Layer> Exporter::write_layer(FdRef blobs, const store::TreeRecord& record,
                                              FdRef tree) const {
  auto blob = SOCK_TRY(BlobWriter::create(blobs));
  const auto compressor = Compressor::make(options_.compression);
  store::Sha256 plain;
  const Sink stored = [&blob](std::string_view bytes) { return blob.write(bytes); };
  store::TarWriter tar{[&](std::string_view bytes) {
    plain.update(bytes);
    return compressor->feed(bytes, stored);
  }};
  SOCK_TRY(tar.add_layer(record, tree));
  SOCK_TRY(tar.end());
  SOCK_TRY(compressor->end(stored));
  auto diff_id = plain.finish();
  auto written = SOCK_TRY(blob.finish());
  return Layer{std::move(diff_id), std::move(written)};
}

Result<Exporter::Layer> Exporter::write_stored_layer(FdRef blobs, std::size_t layer) const {
  const auto record = SOCK_TRY(load_record(store_, stored_, layer));
  const UniqueFd tree = SOCK_TRY(sys::open_beneath(
      store_.layers, stored_.layers[layer].hex() + "/tree", O_RDONLY | O_DIRECTORY));
  return write_layer(blobs, record, tree);
}

// A copy first: what somebody changes meanwhile must not make a layer that nobody can read.
Result<Exporter::Layer> Exporter::write_changes(FdRef blobs) const {
  const UniqueFd from = SOCK_TRY(sys::open(sys::cwd, options_.changes, O_RDONLY | O_DIRECTORY));
  const store::Staging staging = SOCK_TRY(store::Staging::create(store_));
  const UniqueFd copy = SOCK_TRY(staging.make_dir("copy"));
  const store::TreePolicy policy{
      .limits = {},
      .owners = ::geteuid() == 0 ? store::Owners::as_recorded : store::Owners::ours,
      .devices = store::Devices::skip};
  store::Tally tally;
  const auto record =
      SOCK_TRY(store::copy_directory(from, copy, policy, tally, [](std::uint64_t) {}));
  return write_layer(blobs, record, copy);
}

}  // namespace sock::image
