#pragma once

// Compiling the modules of a package that is in the cache.
//
// The interpreter runs in a container, sees the package read-only, and leaves bytecode in a
// directory of its own. What it left and the package's files, linked, become a new tree; then the
// description leads there. A crash in between leaves a tree that nothing refers to, and those who
// use the old one keep it.

#include "sock/package_cache.hpp"

#include "cache/catalog.hpp"

namespace sock::cache {

/// PackageCache::compile().
Result<CachedPackage> compile_package(const CacheDirectory& cache, Host& host,
                                      const CachedPackage& package, const CompileSpec& spec);

}  // namespace sock::cache
