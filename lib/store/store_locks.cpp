// Locks over bytes of one file.

#include "store/store_locks.hpp"

#include <charconv>

#include <fcntl.h>

#include "base/try.hpp"
#include "store/stage.hpp"
#include "sys/file.hpp"

namespace sock::store {
namespace {

constexpr std::string_view locks_file = "locks";

// Fifteen digits are sixty bits: what two objects would share by chance is only a lock.
std::uint64_t number_in(std::string_view hex) {
  std::uint64_t number = 0;
  const auto digits = hex.substr(0, 15);
  std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return number;
}

}  // namespace

LockKey LockKey::object(const store::Digest& digest) noexcept {
  return LockKey{1 + number_in(digest.hex())};
}

LockKey LockKey::source(const Digest& digest) noexcept {
  constexpr std::uint64_t beyond_staged = 1ULL << 62U;
  return LockKey{beyond_staged + number_in(digest.hex())};
}

LockKey LockKey::staged(const std::string& name) noexcept {
  constexpr std::uint64_t beyond_objects = 1ULL << 61U;
  return LockKey{beyond_objects + number_in(name)};
}

Result<StoreLocks> StoreLocks::open(const StoreDirectory& store) {
  const std::string name{locks_file};
  auto file = sys::open_beneath(store.top, name, O_RDWR | O_CREAT, 0600);
  // A store on a read-only file system can be looked at: shared locks need no more.
  if (!file.has_value() && file.error().code == Errc::denied)
    file = sys::open_beneath(store.top, name, O_RDONLY);
  if (!file.has_value())
    return base::in_stage(store_stage, Result<StoreLocks>{std::unexpected(file.error())});
  return StoreLocks{std::move(*file)};
}

Result<> StoreLocks::lock(LockKey key, sys::LockMode mode) const {
  return base::in_stage(store_stage, sys::lock_byte(file_, key.offset(), mode));
}

Result<bool> StoreLocks::try_lock(LockKey key, sys::LockMode mode) const {
  return base::in_stage(store_stage, sys::try_lock_byte(file_, key.offset(), mode));
}

Result<> StoreLocks::unlock(LockKey key) const {
  return base::in_stage(store_stage, sys::unlock_byte(file_, key.offset()));
}

Result<bool> StoreLocks::lock_to_make(LockKey key, const std::function<bool()>& is_there) const {
  SOCK_TRY(lock(key, sys::LockMode::shared));
  if (is_there()) return false;
  SOCK_TRY(unlock(key));
  SOCK_TRY(lock(key, sys::LockMode::exclusive));
  // Once more: another may have made it while we waited.
  if (!is_there()) return true;
  SOCK_TRY(lock(key, sys::LockMode::shared));
  return false;
}

}  // namespace sock::store
