#pragma once

// The directory of a store, opened and checked. What is in it, and how processes share it, is
// written down in docs/image-store.md.

#include <cstdint>
#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "store/digest.hpp"
#include "sys/range_lock.hpp"

namespace sock::image {

struct StoreDirectory {
  std::string path;  ///< Absolute, without symlinks.
  UniqueFd top;
  UniqueFd layers;     ///< DIFFID/tree and DIFFID/record
  UniqueFd roots;      ///< CHAINID/tree: of images with several layers
  UniqueFd documents;  ///< DIGEST: configs and manifests, byte for byte
  UniqueFd images;     ///< IMAGEID: what the store knows of an image
  UniqueFd names;      ///< NAME: an image's id
  UniqueFd mounts;     ///< KEY: a directory on which a root is mounted
  UniqueFd prefetch;   ///< CHAINID/KEY: what a command reads of a root
  UniqueFd staging;    ///< What importers at work, or dead ones, have written so far

  /// Makes what is missing. On failure: Errc::unsupported for a newer format, Errc::denied where
  /// others could reach it, Errc::invalid_spec for a directory with something else in it.
  static Result<StoreDirectory> open(const std::string& path);
};

/// What can be locked: one byte each in the store's file of locks.
class LockKey {
 public:
  /// Whoever changes `images` or `names`, and gc().
  static LockKey catalog() noexcept { return LockKey{0}; }
  /// A layer or a root. Shared: it is there, and stays. Exclusive: it is being made, or removed.
  static LockKey object(const store::Digest& digest) noexcept;
  /// An entry of `staging`, by its name: its importer lives.
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

 private:
  explicit StoreLocks(UniqueFd file) noexcept : file_{std::move(file)} {}
  UniqueFd file_;
};

}  // namespace sock::image
