#pragma once

// The directory of a store, opened and checked, whatever is stored in it. Of every kind there are a
// file `format`, a file of locks, and `staging`.

#include <span>
#include <string>
#include <string_view>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::store {

/// What tells stores apart.
struct StoreKind {
  std::string_view name;  ///< For people: "image store".
  std::string_view word;  ///< In the file `format`, before the version.
  unsigned version;
  std::span<const std::string_view> parts;  ///< The directories of its own.
};

struct StoreDirectory {
  std::string path;  ///< Absolute, without symlinks.
  UniqueFd top;
  UniqueFd staging;  ///< What those at work, or dead ones, have written so far.

  /// Makes what is missing. On failure: Errc::unsupported for a newer format, Errc::denied where
  /// others could reach it, Errc::invalid_spec for a directory with something else in it.
  static Result<StoreDirectory> open(const std::string& path, const StoreKind& kind);
  /// One of the kind's own directories.
  [[nodiscard]] Result<UniqueFd> open_part(const std::string& name) const;
};

}  // namespace sock::store
