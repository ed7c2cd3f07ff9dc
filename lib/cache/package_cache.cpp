// PackageCache: the public handle.

#include "sock/package_cache.hpp"

#include <map>
#include <set>

#include <fcntl.h>

#include "base/try.hpp"
#include "cache/adder.hpp"
#include "cache/catalog.hpp"
#include "cache/in_use.hpp"
#include "cache/installer.hpp"
#include "cache/selection.hpp"
#include "cache/version.hpp"
#include "store/object_removal.hpp"
#include "store/stage.hpp"
#include "store/tree_check.hpp"
#include "sys/file.hpp"

namespace sock {

using cache::StoredPackage;
using store::LockKey;
using store::store_stage;
using store::StoreLocks;

struct PackageCache::Impl {
  cache::CacheDirectory directory;
};

namespace {

// Records can be large: a line for each file.
constexpr std::uint64_t most_record = 4ULL << 30U;

std::unexpected<Error> closed() {
  return base::refuse(Errc::closed, store_stage, "package cache");
}

std::vector<CachedPackage> described(std::vector<StoredPackage> stored) {
  std::vector<CachedPackage> packages;
  for (auto& each : stored) packages.push_back(std::move(each.package));
  return packages;
}

// Looked at under the lock: gc() may have been faster.
Result<> keep(const cache::CacheDirectory& cache, const StoreLocks& locks,
              const CachedPackage& package) {
  const auto tree = SOCK_TRY(store::Digest::parse(package.digest, package.package.to_string()));
  SOCK_TRY(locks.lock(LockKey::object(tree), sys::LockMode::shared));
  SOCK_TRY(base::in_stage(store_stage, sys::status_at(cache.trees, tree.hex())));
  return {};
}

Result<Verification> check_package(const cache::CacheDirectory& cache,
                                   const StoredPackage& stored) {
  Verification found;
  const std::string name = stored.tree.hex();
  const auto text = sys::read_file(cache.trees, name + "/record", most_record);
  if (!text.has_value() || store::Digest::of(*text) != stored.tree) {
    found.problems.push_back("trees/" + name + "/record: it is missing, or another");
    return found;
  }
  const auto record = SOCK_TRY(store::TreeRecord::parse(*text));
  const auto tree = sys::open_beneath(cache.trees, name + "/tree", O_RDONLY | O_DIRECTORY);
  if (tree.has_value())
    SOCK_TRY(store::check_tree(*tree, record, "trees/" + name + "/tree", found));
  else
    found.problems.push_back("trees/" + name + "/tree: it is missing");
  return found;
}

Result<PackageGarbage> collect(const cache::CacheDirectory& cache) {
  const auto locks = SOCK_TRY(StoreLocks::open(cache));
  SOCK_TRY(locks.lock(LockKey::catalog(), sys::LockMode::exclusive));
  std::set<std::string> kept;
  for (const auto& stored : SOCK_TRY(cache::load_packages(cache))) kept.insert(stored.tree.hex());
  const auto trees = SOCK_TRY(store::remove_objects(cache, locks, cache.trees, kept));
  const auto unfinished = SOCK_TRY(store::remove_dead_staging(cache));
  return PackageGarbage{.trees = trees.removed, .unfinished = unfinished, .in_use = trees.in_use};
}

}  // namespace

PackageCache::PackageCache(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
PackageCache::PackageCache(PackageCache&&) noexcept = default;
PackageCache& PackageCache::operator=(PackageCache&&) noexcept = default;
PackageCache::~PackageCache() = default;

Result<PackageCache> PackageCache::open(const PackageCacheOptions& options) {
  auto directory = SOCK_TRY(cache::CacheDirectory::open(options.directory));
  return PackageCache{std::make_unique<Impl>(Impl{std::move(directory)})};
}

Result<CachedPackage> PackageCache::add(const PackageSource& source, const ImportLimits& limits) {
  if (!impl_) return closed();
  auto adder = SOCK_TRY(cache::Adder::start(impl_->directory, limits));
  return base::in_stage(store_stage, adder.add(source));
}

Result<CachedPackage> PackageCache::install(Host& host, const InstallSpec& spec) {
  if (!impl_) return closed();
  auto adder = SOCK_TRY(cache::Adder::start(impl_->directory, spec.limits));
  const auto out = SOCK_TRY(base::in_stage(store_stage, adder.make_out()));
  SOCK_TRY(cache::run_installer(host, spec, out));
  return base::in_stage(store_stage, adder.add_installed(spec.package));
}

Result<std::vector<CachedPackage>> PackageCache::list() const {
  if (!impl_) return closed();
  return described(SOCK_TRY(cache::load_packages(impl_->directory)));
}

Result<std::vector<CachedPackage>> PackageCache::find(const Package& package) const {
  auto found = SOCK_TRY(list());
  std::erase_if(found, [&](const CachedPackage& each) {
    const auto& [name, version] = each.package;
    return name != package.name ||
           (!package.version.empty() && cache::compare_versions(version, package.version) != 0);
  });
  if (found.empty())
    return base::refuse(Errc::not_found, store_stage, package.to_string(),
                        "not in the package cache");
  return found;
}

Result<PackagesInUse> PackageCache::use(const PackageRequest& request) const {
  if (!impl_) return closed();
  const cache::CacheDirectory& cache = impl_->directory;
  const auto cached = SOCK_TRY(list());
  std::vector<CachedPackage> chosen;
  for (const auto place : SOCK_TRY(cache::select_packages(cached, request)))
    chosen.push_back(cached[place]);
  auto locks = SOCK_TRY(StoreLocks::open(cache));
  for (const auto& package : chosen) SOCK_TRY(keep(cache, locks, package));
  return PackagesInUse{
      std::make_unique<PackagesInUse::Impl>(PackagesInUse::Impl{.packages = std::move(chosen),
                                                                .python = request.python,
                                                                .trees = cache.path + "/trees",
                                                                .empty = cache.empty(),
                                                                .locks = std::move(locks)})};
}

Result<Verification> PackageCache::verify(const CachedPackage& package) const {
  if (!impl_) return closed();
  const auto stored = SOCK_TRY(cache::load_package(impl_->directory, cache::key_of(package)));
  const auto locks = SOCK_TRY(StoreLocks::open(impl_->directory));
  SOCK_TRY(locks.lock(LockKey::object(stored.tree), sys::LockMode::shared));
  return base::in_stage(store_stage, check_package(impl_->directory, stored));
}

Result<> PackageCache::remove(const CachedPackage& package) {
  if (!impl_) return closed();
  const auto locks = SOCK_TRY(StoreLocks::open(impl_->directory));
  SOCK_TRY(locks.lock(LockKey::catalog(), sys::LockMode::exclusive));
  const auto key = cache::key_of(package);
  SOCK_TRY(cache::load_package(impl_->directory, key));
  return cache::remove_package(impl_->directory, key);
}

Result<PackageGarbage> PackageCache::gc() {
  if (!impl_) return closed();
  return base::in_stage(store_stage, collect(impl_->directory));
}

}  // namespace sock
