#pragma once

// The directories on the way to the current entry, kept open. Entries of a tar file mostly come
// directory by directory, so the next one usually costs no look-up at all; and every step is one
// component, relative to a descriptor, beneath it and through no link.

#include <string>
#include <string_view>
#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::store {

/// Paths are relative and clean; the empty one is the root. Thread-bound.
class DirectoryStack {
 public:
  /// `root` is borrowed, and must outlive it.
  explicit DirectoryStack(FdRef root) noexcept : root_{root} {}

  /// The directory at `path`. Valid until the next call.
  /// On failure: Errc::not_found for one that is missing, or no directory; Errc::invalid_spec for a
  /// link.
  Result<FdRef> enter(std::string_view path);
  /// After `path`, or something at it, has been removed or replaced.
  void forget(std::string_view path);

 private:
  struct Level {
    std::string path;
    UniqueFd directory;
  };
  FdRef root_;
  std::vector<Level> levels_;  // Each is in the one before.
};

}  // namespace sock::store
