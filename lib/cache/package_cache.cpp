// PackageCache: the public handle.

#include "sock/package_cache.hpp"

#include <map>
#include <optional>
#include <set>

#include "base/try.hpp"
#include "cache/adder.hpp"
#include "cache/catalog.hpp"
#include "cache/compiler.hpp"
#include "cache/in_use.hpp"
#include "cache/installer.hpp"
#include "cache/package_tree.hpp"
#include "cache/selection.hpp"
#include "cache/version.hpp"
#include "store/object_removal.hpp"
#include "store/stage.hpp"
#include "store/tree_check.hpp"

namespace sock {

using cache::StoredPackage;
using store::LockKey;
using store::store_stage;
using store::StoreLocks;

struct PackageCache::Impl {
  cache::CacheDirectory directory;
};

namespace {

// Who looks and then locks looks again where somebody was faster, but not for ever.
constexpr int most_looks = 5;

std::unexpected<Error> closed() {
  return base::refuse(Errc::closed, store_stage, "package cache");
}

std::vector<CachedPackage> described(std::vector<StoredPackage> stored) {
  std::vector<CachedPackage> packages;
  for (auto& each : stored) packages.push_back(std::move(each.package));
  return packages;
}

struct Held {
  std::vector<CachedPackage> packages;
  StoreLocks locks;
};

/// Nothing when one of them was compiled, or removed, between the look and the lock.
Result<std::optional<Held>> choose_and_hold(const cache::CacheDirectory& cache,
                                            const PackageRequest& request) {
  const auto cached = described(SOCK_TRY(cache::load_packages(cache)));
  auto locks = SOCK_TRY(StoreLocks::open(cache));
  Held held{.packages = {}, .locks = std::move(locks)};
  for (const auto place : SOCK_TRY(cache::select_packages(cached, request))) {
    const CachedPackage& package = cached[place];
    const auto tree = SOCK_TRY(store::Digest::parse(package.digest, package.package.to_string()));
    auto found = cache::hold_tree(cache, held.locks, tree);
    if (!found.has_value() && found.error().code == Errc::not_found) return std::optional<Held>{};
    SOCK_TRY(std::move(found));
    held.packages.push_back(package);
  }
  return std::optional{std::move(held)};
}

/// With its tree, if that is there at all: one that is compiled meanwhile gets another.
Result<StoredPackage> find_and_hold(const cache::CacheDirectory& cache, const StoreLocks& locks,
                                    const std::string& key) {
  std::optional<StoredPackage> before;
  for (int looks = 0; looks < most_looks; ++looks) {
    auto stored = SOCK_TRY(cache::load_package(cache, key));
    const auto held = cache::hold_tree(cache, locks, stored.tree);
    const bool is_missing = !held.has_value() && held.error().code == Errc::not_found;
    if (!held.has_value() && !is_missing) return std::unexpected(held.error());
    // Missing twice, it is not another one's doing.
    if (!is_missing || (before && before->tree == stored.tree)) return stored;
    before = std::move(stored);
  }
  return base::refuse(Errc::not_found, store_stage, key, "it changes all the time; try again");
}

Result<Verification> check_package(const cache::CacheDirectory& cache,
                                   const StoredPackage& stored) {
  Verification found;
  const std::string name = "trees/" + stored.tree.hex();
  const auto record = cache::read_record(cache, stored.tree);
  if (!record.has_value()) {
    found.problems.push_back(name + "/record: it is missing, or another");
    return found;
  }
  const auto tree = cache::open_tree(cache, stored.tree);
  if (tree.has_value())
    SOCK_TRY(store::check_tree(*tree, *record, name + "/tree", found));
  else
    found.problems.push_back(name + "/tree: it is missing");
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

Result<CachedPackage> PackageCache::compile(Host& host, const CachedPackage& package,
                                            const CompileSpec& spec) {
  if (!impl_) return closed();
  return cache::compile_package(impl_->directory, host, package, spec);
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
  std::optional<Held> held;
  for (int i = 0; i < most_looks && !held; ++i) held = SOCK_TRY(choose_and_hold(cache, request));
  if (!held)
    return base::refuse(Errc::not_found, store_stage, "package cache",
                        "its packages change all the time; try again");
  return PackagesInUse{std::make_unique<PackagesInUse::Impl>(
      PackagesInUse::Impl{.packages = std::move(held->packages),
                          .python = request.python,
                          .trees = cache.path + "/trees",
                          .empty = cache.empty(),
                          .locks = std::move(held->locks)})};
}

Result<Verification> PackageCache::verify(const CachedPackage& package) const {
  if (!impl_) return closed();
  const auto locks = SOCK_TRY(StoreLocks::open(impl_->directory));
  const auto stored = SOCK_TRY(find_and_hold(impl_->directory, locks, cache::key_of(package)));
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
