// Removing objects of a store.

#include "store/object_removal.hpp"

#include "base/try.hpp"
#include "store/staging.hpp"
#include "store/tree_removal.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::store {
namespace {

// Moved away first: a crash in the middle must not leave half of it under its name.
Result<> remove_object(const StoreDirectory& store, FdRef place, const std::string& name) {
  const Staging grave = SOCK_TRY(Staging::create(store));
  SOCK_TRY(sys::rename(place, name, grave.directory(), name));
  return remove_tree(grave.directory(), name);
}

}  // namespace

Result<RemovedObjects> remove_objects(const StoreDirectory& store, const StoreLocks& locks,
                                      FdRef place, const std::set<std::string>& kept) {
  RemovedObjects done;
  for (const auto& name : SOCK_TRY(sys::list_dir(place))) {
    if (kept.contains(name)) continue;
    const auto digest = Digest::from_hex(name, "object");
    if (!digest.has_value()) continue;  // Not ours.
    const auto key = LockKey::object(*digest);
    if (!SOCK_TRY(locks.try_lock(key, sys::LockMode::exclusive))) {
      ++done.in_use;
      continue;
    }
    SOCK_TRY(remove_object(store, place, name));
    SOCK_TRY(locks.unlock(key));
    ++done.removed;
  }
  return done;
}

}  // namespace sock::store
