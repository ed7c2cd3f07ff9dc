#pragma once

// Takes one package into a cache.
//
// Everything is written into a staging directory, brought to the disk, and then moved to its place:
// first the tree, then what refers to it. A crash in between leaves a tree that nothing refers to.
// The source's byte is locked before anything is unpacked, so two who take in the same file do the
// work once; the tree's byte is locked before its presence is looked at, so gc() leaves it.

#include <optional>
#include <string>
#include <vector>

#include "sock/package_cache.hpp"

#include "cache/catalog.hpp"
#include "cache/unpacked_package.hpp"
#include "store/staging.hpp"
#include "store/store_locks.hpp"

namespace sock::cache {

/// Thread-bound; used once.
class Adder {
 public:
  static Result<Adder> start(const CacheDirectory& cache, const ImportLimits& limits);

  Result<CachedPackage> add(const PackageSource& source);
  /// Of Kind::command: what the installer has left where make_out() said.
  Result<CachedPackage> add_installed(const std::optional<Package>& package);

  /// A new directory for an installer, on the host; removed with this.
  Result<std::string> make_out();

 private:
  Adder(const CacheDirectory& cache, const ImportLimits& limits, store::StoreLocks locks,
        store::Staging staging) noexcept;
  Result<CachedPackage> add_files(const PackageSource& source);
  Result<CachedPackage> copy(FdRef from, PackageSource::Kind kind,
                             const std::optional<Package>& package);
  Result<CachedPackage> publish(UnpackedPackage unpacked, PackageSource::Kind kind,
                                std::optional<store::Digest> source);

  const CacheDirectory& cache_;
  const ImportLimits limits_;
  store::StoreLocks locks_;
  store::Staging staging_;
};

}  // namespace sock::cache
