// gc(): under the catalog's lock no importer can publish, and what an importer at work or a
// container uses is locked; so what no image refers to and nobody has locked is garbage.

#include "image/garbage.hpp"

#include <set>

#include "base/try.hpp"
#include "image/catalog.hpp"
#include "image/mounts.hpp"
#include "image/stage.hpp"
#include "image/staging.hpp"
#include "store/tree_removal.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::image {
namespace {

/// The file names that images with a name refer to.
struct Referred {
  std::set<std::string> layers;
  std::set<std::string> roots;
  std::set<std::string> documents;
};

class Collection {
 public:
  Collection(const StoreDirectory& store, StoreLocks locks)
      : store_{store}, locks_{std::move(locks)} {}

  Result<ImageGarbage> run() {
    SOCK_TRY(locks_.lock(LockKey::catalog(), sys::LockMode::exclusive));
    mounted_ = SOCK_TRY(mounted_chains(store_));
    const Referred referred = SOCK_TRY(remove_nameless());
    SOCK_TRY(remove_objects(store_.roots, referred.roots, removed_.roots));
    SOCK_TRY(remove_objects(store_.layers, referred.layers, removed_.layers));
    SOCK_TRY(remove_documents(referred.documents));
    SOCK_TRY(remove_prefetch_lists(referred));
    removed_.unfinished = SOCK_TRY(remove_dead_staging(store_));
    return removed_;
  }

 private:
  Result<Referred> remove_nameless() {
    Referred referred;
    for (const auto& stored : SOCK_TRY(load_images(store_))) {
      const auto id = SOCK_TRY(store::Digest::parse(stored.image.id, "image"));
      if (stored.image.names.empty()) {
        SOCK_TRY(sys::remove_file(store_.images, id.hex()));
        ++removed_.images;
        continue;
      }
      referred.documents.insert(id.hex());
      for (const auto& text : stored.image.digests)
        referred.documents.insert(SOCK_TRY(store::Digest::parse(text, "image")).hex());
      for (const auto& layer : stored.layers) referred.layers.insert(layer.hex());
      if (stored.layers.size() > 1) referred.roots.insert(stored.chain.hex());
    }
    // Before what they referred to: a crash in between leaves garbage, not an image without a root.
    SOCK_TRY(sys::sync_file(store_.images));
    return referred;
  }

  Result<> remove_objects(FdRef place, const std::set<std::string>& kept, std::size_t& count) {
    for (const auto& name : SOCK_TRY(sys::list_dir(place))) {
      if (kept.contains(name)) continue;
      const auto digest = store::Digest::from_hex(name, "object");
      if (!digest.has_value()) continue;  // Not ours.
      const auto key = LockKey::object(*digest);
      if (mounted_.contains(name) || !SOCK_TRY(locks_.try_lock(key, sys::LockMode::exclusive))) {
        ++removed_.in_use;
        continue;
      }
      SOCK_TRY(remove_object(place, name));
      SOCK_TRY(locks_.unlock(key));
      ++count;
    }
    return {};
  }

  // Moved away first: a crash in the middle must not leave half of it under its name.
  Result<> remove_object(FdRef place, const std::string& name) {
    const Staging grave = SOCK_TRY(Staging::create(store_));
    SOCK_TRY(sys::rename(place, name, grave.directory(), name));
    return store::remove_tree(grave.directory(), name);
  }

  Result<> remove_documents(const std::set<std::string>& kept) {
    for (const auto& name : SOCK_TRY(sys::list_dir(store_.documents))) {
      if (kept.contains(name)) continue;
      SOCK_TRY(sys::remove_file(store_.documents, name));
      ++removed_.documents;
    }
    return {};
  }

  // Those of roots that have gone; the root of one layer has that layer's name.
  Result<> remove_prefetch_lists(const Referred& referred) {
    for (const auto& name : SOCK_TRY(sys::list_dir(store_.prefetch)))
      if (!referred.roots.contains(name) && !referred.layers.contains(name))
        SOCK_TRY(store::remove_tree(store_.prefetch, name));
    return {};
  }

  const StoreDirectory& store_;
  const StoreLocks locks_;
  std::set<std::string> mounted_;
  ImageGarbage removed_;
};

}  // namespace

Result<ImageGarbage> collect_garbage(const StoreDirectory& store) {
  auto locks = SOCK_TRY(StoreLocks::open(store));
  Collection collection{store, std::move(locks)};
  return base::in_stage(image_stage, collection.run());
}

}  // namespace sock::image
