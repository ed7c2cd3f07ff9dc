#pragma once

// What a cache knows of its packages: a small file for each, which appears by rename. Whoever
// changes one holds LockKey::catalog(). The format is in docs/package-cache.md.

#include <optional>
#include <string>
#include <vector>

#include "sock/package_cache.hpp"

#include "store/digest.hpp"
#include "store/staging.hpp"
#include "store/store_directory.hpp"

namespace sock::cache {

struct CacheDirectory : store::StoreDirectory {
  UniqueFd packages;  ///< NAME==VERSION@ABI: what is known of a package
  UniqueFd trees;     ///< DIGEST/tree and DIGEST/record

  /// On failure: as store::StoreDirectory::open().
  static Result<CacheDirectory> open(const std::string& path);
  /// An empty directory, read by all.
  [[nodiscard]] std::string empty() const { return path + "/empty"; }
};

/// A package with what is not public.
struct StoredPackage {
  CachedPackage package;
  store::Digest tree;  ///< The digest of its record.
  /// That of what was taken in: without what compile() has added.
  store::Digest content;
  std::optional<store::Digest> source = {};  ///< Of the files that it was taken from.
};

/// "numpy==1.24.2@cp311-x86_64-linux-gnu": the name of its file. Any other text is none.
std::string key_of(const CachedPackage& package);

/// Sorted by name, then by version, the newest first.
Result<std::vector<StoredPackage>> load_packages(const CacheDirectory& cache);
/// On failure: Errc::not_found.
Result<StoredPackage> load_package(const CacheDirectory& cache, const std::string& key);
Result<> save_package(const CacheDirectory& cache, const store::Staging& staging,
                      const StoredPackage& stored);
Result<> remove_package(const CacheDirectory& cache, const std::string& key);

}  // namespace sock::cache
