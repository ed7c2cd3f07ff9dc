// Trees, in staging and in their place.

#include "cache/package_tree.hpp"

#include <fcntl.h>

#include "base/try.hpp"
#include "store/stage.hpp"
#include "store/tree_removal.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::cache {
namespace {

using store::store_stage;

const char* const staged_package = "package";
const char* const staged_out = "out";

// Records can be large: a line for each file.
constexpr std::uint64_t most_record = 4ULL << 30U;

}  // namespace

Result<> hold_tree(const CacheDirectory& cache, const store::StoreLocks& locks,
                   const store::Digest& tree) {
  SOCK_TRY(locks.lock(store::LockKey::object(tree), sys::LockMode::shared));
  // Looked at under the lock: gc() may have been faster.
  SOCK_TRY(base::in_stage(store_stage, sys::status_at(cache.trees, tree.hex())));
  return {};
}

Result<store::TreeRecord> read_record(const CacheDirectory& cache, const store::Digest& tree) {
  const std::string path = tree.hex() + "/record";
  const auto text = sys::read_file(cache.trees, path, most_record);
  if (!text.has_value() || store::Digest::of(*text) != tree)
    return store::corrupt("trees/" + path, "it is missing, or another");
  return store::TreeRecord::parse(*text);
}

Result<UniqueFd> open_tree(const CacheDirectory& cache, const store::Digest& tree) {
  return base::in_stage(
      store_stage, sys::open_beneath(cache.trees, tree.hex() + "/tree", O_RDONLY | O_DIRECTORY));
}

Result<UniqueFd> make_tree(const store::Staging& staging) {
  const std::string name = staged_package;
  SOCK_TRY(staging.make_dir(name));
  return staging.make_dir(name + "/tree");
}

Result<store::Digest> publish_tree(const CacheDirectory& cache, const store::StoreLocks& locks,
                                   const store::Staging& staging, const store::TreeRecord& record) {
  const std::string text = record.to_text();
  auto digest = store::Digest::of(text);
  const auto is_there = [&] { return sys::status_at(cache.trees, digest.hex()).has_value(); };
  const bool is_missing = SOCK_TRY(locks.lock_to_make(store::LockKey::object(digest), is_there));
  if (!is_missing) return digest;
  SOCK_TRY(staging.write(std::string{staged_package} + "/record", text));
  SOCK_TRY(staging.sync());
  SOCK_TRY(staging.publish(staged_package, cache.trees, digest.hex()));
  SOCK_TRY(base::in_stage(store_stage, sys::sync_file(cache.trees)));
  return digest;
}

Result<std::string> make_out(const CacheDirectory& cache, const store::Staging& staging) {
  const auto out = SOCK_TRY(staging.make_dir(staged_out));
  // Whoever the payload is; nobody else comes as far as here.
  constexpr mode_t for_all = 0777;
  SOCK_TRY(sys::set_mode_of(out, for_all));
  return cache.path + "/staging/" + staging.name() + "/" + staged_out;
}

Result<UniqueFd> open_out(const store::Staging& staging) {
  return sys::open_beneath(staging.directory(), staged_out, O_RDONLY | O_DIRECTORY);
}

Result<> remove_out(const store::Staging& staging) {
  return store::remove_tree(staging.directory(), staged_out);
}

}  // namespace sock::cache
