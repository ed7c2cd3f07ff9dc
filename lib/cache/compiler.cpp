// Running the interpreter, and publishing what it leaves.

#include "cache/compiler.hpp"

#include <algorithm>
#include <utility>

#include "base/try.hpp"
#include "cache/compiled_modules.hpp"
#include "cache/installer.hpp"
#include "cache/package_abi.hpp"
#include "cache/package_layout.hpp"
#include "cache/package_tree.hpp"
#include "store/object_removal.hpp"
#include "store/stage.hpp"
#include "store/tree_link.hpp"
#include "store/tree_writer.hpp"

namespace sock::cache {
namespace {

using store::store_stage;

bool is_compiled_for(const CachedPackage& package, const std::string& python) {
  return std::ranges::find(package.compiled, python) != package.compiled.end();
}

// Alone with the package: no site, no environment. Bytecode goes below /out, and is never compared
// with its module again, which cannot change.
ContainerSpec interpreter(const CacheDirectory& cache, const StoredPackage& stored,
                          const CompileSpec& spec) {
  ContainerSpec container = spec.container;
  const std::string target = PackagesInUse::target(stored.package.package);
  container.rootfs.binds.push_back(
      {.source = cache.path + "/trees/" + stored.tree.hex() + "/tree", .target = target});
  for (const char* const word : {"-I", "-S", "-X", "pycache_prefix=/out", "-m", "compileall", "-qq",
                                 "--invalidation-mode", "unchecked-hash"})
    container.argv.emplace_back(word);
  container.argv.push_back(target + "/" + std::string{modules_directory});
  return container;
}

/// One compilation. Thread-bound.
class Compilation {
 public:
  Compilation(const CacheDirectory& cache, const store::StoreLocks& locks,
              const store::Staging& staging, const CompileSpec& spec) noexcept
      : cache_{cache}, locks_{locks}, staging_{staging}, spec_{spec} {}

  Result<CachedPackage> run(Host& host, StoredPackage stored) {
    SOCK_TRY(hold_tree(cache_, locks_, stored.tree));
    const auto out = SOCK_TRY(base::in_stage(store_stage, make_out(cache_, staging_)));
    const auto status =
        SOCK_TRY(run_with_out(host, interpreter(cache_, stored, spec_), spec_.deadline, out));
    // With 1 it says that some module does not compile: that module is imported as it is, or fails
    // as it would have anyway.
    if (status.kind != ExitStatus::Kind::exited || status.value > 1)
      return base::refuse(
          Errc::launch_failed, Stage::wait, spec_.container.argv.front(),
          std::string{to_string(status.kind)} + " with " + std::to_string(status.value));
    const auto record = SOCK_TRY(base::in_stage(store_stage, make_tree_of(stored)));
    const auto tree =
        SOCK_TRY(base::in_stage(store_stage, publish_tree(cache_, locks_, staging_, record)));
    return base::in_stage(store_stage, describe(std::move(stored), tree, record));
  }

 private:
  Result<store::TreeRecord> make_tree_of(const StoredPackage& stored) {
    auto record = SOCK_TRY(read_record(cache_, stored.tree));
    const auto from = SOCK_TRY(open_tree(cache_, stored.tree));
    const auto to = SOCK_TRY(make_tree(staging_));
    SOCK_TRY(store::link_tree(from, record, to));
    const auto out = SOCK_TRY(open_out(staging_));
    const auto [taken, missing] = SOCK_TRY(
        take_bytecode(out, stored.package.package, spec_.python, spec_.limits, to, record));
    // Whatever it says of itself: nobody would compile it for that version any more.
    if (taken == 0 && missing > 0)
      return base::refuse(Errc::launch_failed, Stage::wait, spec_.container.argv.front(),
                          "it compiled nothing; is it Python " + spec_.python + "?");
    static_cast<void>(remove_out(staging_).has_value());  // So that it need not be synced.
    SOCK_TRY(store::finish_directories(to, record, store::Owners::ours));
    return record;
  }

  // Unless it was removed, or taken in anew, meanwhile.
  Result<CachedPackage> describe(StoredPackage stored, const store::Digest& tree,
                                 const store::TreeRecord& record) {
    SOCK_TRY(locks_.lock(store::LockKey::catalog(), sys::LockMode::exclusive));
    const auto there = SOCK_TRY(load_package(cache_, key_of(stored.package)));
    if (there.tree != stored.tree)
      return base::refuse(Errc::not_found, store_stage, key_of(stored.package),
                          "another package took its place while it was compiled");
    const auto before = std::exchange(stored.tree, tree);
    stored.package.digest = tree.to_string();
    stored.package.compiled.push_back(spec_.python);
    stored.package.bytes = record.bytes();
    stored.package.entries = record.entries.size();
    SOCK_TRY(save_package(cache_, staging_, stored));
    if (before != tree) static_cast<void>(remove_old(before).has_value());
    SOCK_TRY(locks_.unlock(store::LockKey::catalog()));
    return std::move(stored.package);
  }

  // Unless it is also that of a package with the same files and another name. What is left, because
  // somebody uses it or because it cannot be removed now, is for gc().
  Result<> remove_old(const store::Digest& tree) {
    const auto all = SOCK_TRY(load_packages(cache_));
    if (std::ranges::find(all, tree, &StoredPackage::tree) != all.end()) return {};
    SOCK_TRY(store::remove_unused(cache_, locks_, cache_.trees, tree));
    return {};
  }

  const CacheDirectory& cache_;
  const store::StoreLocks& locks_;
  const store::Staging& staging_;
  const CompileSpec& spec_;
};

}  // namespace

Result<CachedPackage> compile_package(const CacheDirectory& cache, Host& host,
                                      const CachedPackage& package, const CompileSpec& spec) {
  const std::string key = key_of(package);
  SOCK_TRY(check_python(spec.python));
  auto stored = SOCK_TRY(load_package(cache, key));
  if (!suits(package.abi, spec.python))
    return base::refuse(Errc::unsupported, Stage::validate, key, "not for Python " + spec.python);
  store::tidy_staging(cache);
  const auto locks = SOCK_TRY(store::StoreLocks::open(cache));
  // One after another, also for different interpreters: each adds to what is there. Of those who
  // compile the same, one does the work.
  const auto work = store::Digest::of("compile " + stored.content.to_string());
  SOCK_TRY(locks.lock(store::LockKey::source(work), sys::LockMode::exclusive));
  stored = SOCK_TRY(load_package(cache, key));
  if (is_compiled_for(stored.package, spec.python)) return std::move(stored.package);
  const auto staging = SOCK_TRY(base::in_stage(store_stage, store::Staging::create(cache)));
  return Compilation{cache, locks, staging, spec}.run(host, std::move(stored));
}

}  // namespace sock::cache
