// The second half of an import: the root, and making everything visible.

#include <algorithm>

#include <fcntl.h>

#include "base/try.hpp"
#include "image/importer.hpp"
#include "image/root_assembly.hpp"
#include "image/stage.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::image {
namespace {

using Step = ImportProgress::Step;

void add_once(std::vector<std::string>& list, const std::string& text) {
  if (std::ranges::find(list, text) == list.end()) list.push_back(text);
}

// Two imports of one image by different manifests: both digests find it.
void keep_older(StoredImage& stored, const StoredImage& older) {
  for (const auto& digest : older.image.digests) add_once(stored.image.digests, digest);
  stored.image.imported = older.image.imported;
  stored.image.devices_skipped =
      std::max(stored.image.devices_skipped, older.image.devices_skipped);
  stored.image.xattrs_dropped = std::max(stored.image.xattrs_dropped, older.image.xattrs_dropped);
}

}  // namespace

Result<Image> Importer::finish(const Config& config, const std::string& config_text,
                               const std::optional<std::string>& manifest_text,
                               const std::string& name) {
  const store::Digest id = store::Digest::of(config_text);
  StoredImage stored{.image = {.id = id.to_string(),
                               .architecture = config.architecture,
                               .os = config.os,
                               .created = config.created,
                               .imported = std::chrono::time_point_cast<std::chrono::seconds>(
                                   std::chrono::system_clock::now()),
                               .devices_skipped = tally_.devices_skipped,
                               .xattrs_dropped = tally_.xattrs_dropped,
                               .config = config.run},
                     .chain = chain_of(config.diff_ids),
                     .layers = config.diff_ids,
                     .records = {}};
  store::TreeRecord merged;
  for (std::size_t i = 0; i < config.diff_ids.size(); ++i) {
    const Layer& layer = layers_.at(config.diff_ids[i]);
    store::merge_layer(merged, layer.record, i);
    stored.records.push_back(layer.record_digest);
    stored.image.layers.push_back({.diff_id = config.diff_ids[i].to_string(),
                                   .bytes = layer.record.bytes(),
                                   .entries = layer.record.entries.size()});
  }
  stored.image.bytes = merged.bytes();
  stored.image.entries = merged.entries.size();
  if (config.diff_ids.size() > 1 && missing_.contains(stored.chain)) {
    std::vector<FdRef> trees;
    for (const store::Digest& diff_id : config.diff_ids) trees.push_back(layers_.at(diff_id).tree);
    SOCK_TRY(assemble(merged, trees));
  }
  SOCK_TRY(staging_->write_durably("config", config_text));
  if (manifest_text) {
    SOCK_TRY(staging_->write_durably("manifest", *manifest_text));
    stored.image.digests.push_back(store::Digest::of(*manifest_text).to_string());
  }
  SOCK_TRY(publish_objects(stored));
  return publish_image(std::move(stored), options_.name.empty() ? name : options_.name);
}

Result<> Importer::assemble(const store::TreeRecord& merged, std::span<const FdRef> trees) {
  progress_.enter(Step::assembling);
  const UniqueFd directory = SOCK_TRY(staging_->make_dir("root"));
  const UniqueFd tree = SOCK_TRY(staging_->make_dir("root/tree"));
  return assemble_root(tree, merged, trees, policy_.owners);
}

// What has a digest for a name and a lock of its own. Nobody sees it before the image refers to it.
Result<> Importer::publish_objects(const StoredImage& stored) {
  progress_.enter(Step::syncing);
  if (!missing_.empty()) SOCK_TRY(staging_->sync());
  for (const auto& [diff_id, layer] : layers_)
    if (layer.is_new)
      SOCK_TRY(staging_->publish("layer-" + diff_id.hex(), store_.layers, diff_id.hex()));
  if (stored.layers.size() > 1 && missing_.contains(stored.chain))
    SOCK_TRY(staging_->publish("root", store_.roots, stored.chain.hex()));
  for (const FdRef place : {store_.layers.ref(), store_.roots.ref()})
    SOCK_TRY(base::in_stage(image_stage, sys::sync_file(place)));
  return {};
}

// Under the catalog's lock, as all that follows: documents have no locks of their own.
Result<> Importer::publish_documents(const StoredImage& stored) {
  const auto id = SOCK_TRY(store::Digest::parse(stored.image.id, "image"));
  SOCK_TRY(staging_->publish("config", store_.documents, id.hex()));
  // Empty for what had no manifest.
  for (const auto& text : stored.image.digests) {
    const auto digest = SOCK_TRY(store::Digest::parse(text, "manifest"));
    SOCK_TRY(staging_->publish("manifest", store_.documents, digest.hex()));
  }
  return base::in_stage(image_stage, sys::sync_file(store_.documents));
}

Result<Image> Importer::publish_image(StoredImage stored, const std::string& name) {
  const std::string full_name = SOCK_TRY(parse_image_name(name));
  const auto id = SOCK_TRY(store::Digest::parse(stored.image.id, "image"));
  const auto catalog = store::LockKey::catalog();
  SOCK_TRY(locks_->lock(catalog, sys::LockMode::exclusive));
  SOCK_TRY(publish_documents(stored));
  const auto older = load_image(store_, id, {});
  if (older.has_value()) keep_older(stored, *older);
  SOCK_TRY(save_image(store_, *staging_, stored));
  SOCK_TRY(save_name(store_, *staging_, full_name, id));
  SOCK_TRY(locks_->unlock(catalog));
  const Names names = SOCK_TRY(load_names(store_));
  return SOCK_TRY(load_image(store_, id, names))
  .image;
}

}  // namespace sock::image
