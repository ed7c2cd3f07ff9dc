#pragma once

// How processes share a store: each thing that can be locked is one byte of its file of locks.

#include <cstdint>
#include <functional>
#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "store/digest.hpp"
#include "store/store_directory.hpp"
#include "sys/range_lock.hpp"

namespace sock::store {

class LockKey {
 public:
  /// Whoever changes what the store refers to, and gc().
  static LockKey catalog() noexcept { return LockKey{0}; }
  /// A tree of files. Shared: it is there, and stays. Exclusive: it is being made, or removed.
  static LockKey object(const Digest& digest) noexcept;
  /// A file that is being taken in. Held before any object's, by those who do that.
  static LockKey source(const Digest& digest) noexcept;
  /// An entry of `staging`, by its name: whoever writes it lives.
  static LockKey staged(const std::string& name) noexcept;
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
  friend auto operator<=>(LockKey, LockKey) noexcept = default;

 private:
  explicit LockKey(std::uint64_t offset) noexcept : offset_{offset} {}
  std::uint64_t offset_;
};

/// Locks of one holder, which end with it.
class StoreLocks {
 public:
  static Result<StoreLocks> open(const StoreDirectory& store);
  Result<> lock(LockKey key, sys::LockMode mode) const;
  Result<bool> try_lock(LockKey key, sys::LockMode mode) const;
  Result<> unlock(LockKey key) const;
  /// For an object of which `is_there` tells. Shared where it is there; else exclusive, and it has
  /// to be made: then true. So nobody does another's work.
  Result<bool> lock_to_make(LockKey key, const std::function<bool()>& is_there) const;

 private:
  explicit StoreLocks(UniqueFd file) noexcept : file_{std::move(file)} {}
  UniqueFd file_;
};

}  // namespace sock::store
