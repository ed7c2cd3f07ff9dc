// gc(): under the catalog's lock no importer can publish, and what an importer at work or a
// container uses is locked; so what no image refers to and nobody has locked is garbage.

#include "image/garbage.hpp"

#include <set>

#include "base/try.hpp"
#include "image/catalog.hpp"
#include "image/mounts.hpp"
#include "image/stage.hpp"
#include "store/object_removal.hpp"
#include "store/stage.hpp"
#include "store/staging.hpp"
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
  Collection(const StoreDirectory& store, store::StoreLocks locks)
      : store_{store}, locks_{std::move(locks)} {}

  Result<ImageGarbage> run() {
    SOCK_TRY(locks_.lock(store::LockKey::catalog(), sys::LockMode::exclusive));
    mounted_ = SOCK_TRY(mounted_chains(store_));
    const Referred referred = SOCK_TRY(remove_nameless());
    removed_.roots = SOCK_TRY(remove_objects(store_.roots, referred.roots));
    removed_.layers = SOCK_TRY(remove_objects(store_.layers, referred.layers));
    SOCK_TRY(remove_documents(referred.documents));
    SOCK_TRY(remove_prefetch_lists(referred));
    removed_.unfinished = SOCK_TRY(store::remove_dead_staging(store_));
    return removed_;
  }

 private:
  Result<Referred> remove_nameless() {
    Referred referred;
    const auto images = SOCK_TRY(load_images(store_));
    // Nobody removes one now: the layers of one that cannot be read are still its own.
    if (images.size() < SOCK_TRY(count_images(store_)))
      return store::corrupt("images", "one of them has lost its document; import it again");
    for (const auto& stored : images) {
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

  Result<std::size_t> remove_objects(FdRef place, std::set<std::string> kept) {
    for (const auto& name : mounted_)
      if (sys::status_at(place, name).has_value() && kept.insert(name).second) ++removed_.in_use;
    const auto done = SOCK_TRY(store::remove_objects(store_, locks_, place, kept));
    removed_.in_use += done.in_use;
    return done.removed;
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
  const store::StoreLocks locks_;
  std::set<std::string> mounted_;
  ImageGarbage removed_;
};

}  // namespace

Result<ImageGarbage> collect_garbage(const StoreDirectory& store) {
  auto locks = SOCK_TRY(store::StoreLocks::open(store));
  Collection collection{store, std::move(locks)};
  return base::in_stage(image_stage, collection.run());
}

}  // namespace sock::image
