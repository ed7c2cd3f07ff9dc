#pragma once

// Which packages of a cache make up what a container asks for. Pure.
//
// Without an index there is nothing to search: each name gets the newest version that fits what was
// asked for first, and whoever then needs another one is told so.

#include <cstddef>
#include <span>
#include <vector>

#include "sock/package_cache.hpp"

namespace sock::cache {

/// Places in `cached`, which is sorted with the newest of each name first: those asked for, then
/// what they need. On failure: Errc::not_found, Errc::invalid_spec.
Result<std::vector<std::size_t>> select_packages(std::span<const CachedPackage> cached,
                                                 const PackageRequest& request);

}  // namespace sock::cache
