#pragma once

// Removing trees of files that nothing refers to any more.

#include <cstddef>
#include <set>
#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "store/digest.hpp"
#include "store/store_directory.hpp"
#include "store/store_locks.hpp"

namespace sock::store {

struct RemovedObjects {
  std::size_t removed = 0;
  std::size_t in_use = 0;  ///< Locked by somebody, and left.
};

/// Removes one, unless somebody has it locked: then false. The caller holds LockKey::catalog(), and
/// nothing refers to it.
Result<bool> remove_unused(const StoreDirectory& store, const StoreLocks& locks, FdRef place,
                           const Digest& object);
/// Removes those objects of `place`, which have digests for names, that are not in `kept`. The
/// caller holds LockKey::catalog(), so that nobody refers to another one meanwhile.
Result<RemovedObjects> remove_objects(const StoreDirectory& store, const StoreLocks& locks,
                                      FdRef place, const std::set<std::string>& kept);

}  // namespace sock::store
