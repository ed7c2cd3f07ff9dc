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

Result<bool> remove_unused(const StoreDirectory& store, const StoreLocks& locks, FdRef place,
                           const Digest& object) {
  const auto key = LockKey::object(object);
  if (!SOCK_TRY(locks.try_lock(key, sys::LockMode::exclusive))) return false;
  SOCK_TRY(remove_object(store, place, object.hex()));
  SOCK_TRY(locks.unlock(key));
  return true;
}

Result<RemovedObjects> remove_objects(const StoreDirectory& store, const StoreLocks& locks,
                                      FdRef place, const std::set<std::string>& kept) {
  RemovedObjects done;
  for (const auto& name : SOCK_TRY(sys::list_dir(place))) {
    if (kept.contains(name)) continue;
    const auto digest = Digest::from_hex(name, "object");
    if (!digest.has_value()) continue;  // Not ours.
    const bool is_gone = SOCK_TRY(remove_unused(store, locks, place, *digest));
    ++(is_gone ? done.removed : done.in_use);
  }
  return done;
}

}  // namespace sock::store
