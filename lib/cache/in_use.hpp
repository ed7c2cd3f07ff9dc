#pragma once

// What keeps packages from gc(), and how a container sees them.

#include <string>
#include <vector>

#include "sock/package_cache.hpp"

#include "store/store_locks.hpp"

namespace sock {

/// The locks are what keeps gc() away.
struct PackagesInUse::Impl {
  std::vector<CachedPackage> packages;
  std::string python;  ///< "3.11"
  std::string trees;   ///< The directory on the host that all of them are in.
  std::string empty;   ///< One without anything, on the host.
  store::StoreLocks locks;
};

}  // namespace sock
