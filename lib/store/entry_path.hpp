#pragma once

// What becomes of one entry of a layer, judged by its path alone: decided before anything is
// touched. Pure.

#include <cstdint>
#include <string>
#include <string_view>

#include "sock/image.hpp"

namespace sock::store {

/// Relative, without ".", ".." and doubled slashes; empty for the root itself. A leading slash is
/// the root's. On failure: Errc::corrupt for "..", NUL and nothing at all, Errc::exhausted beyond a
/// limit.
Result<std::string> clean_entry_path(std::string_view raw, const ImportLimits& limits);

struct EntryDecision {
  enum class Action : std::uint8_t {
    place,
    whiteout,  ///< The lower layers' file or directory at `path` is gone.
    opaque,    ///< Everything that lower layers have in the directory `path` is gone.
    ignore,    ///< Book-keeping of a union file system (".wh..wh.plnk").
  };
  Action action;
  std::string path;
};
Result<EntryDecision> decide_entry(std::string_view raw, const ImportLimits& limits);

/// "a/b" of "a/b/c"; empty for one component.
[[nodiscard]] std::string_view parent_of(std::string_view path) noexcept;
/// "c" of "a/b/c".
[[nodiscard]] std::string_view last_of(std::string_view path) noexcept;

/// Whether an extended attribute is taken over: "user.*" but overlayfs's own, and file
/// capabilities.
[[nodiscard]] bool keeps_xattr(std::string_view name) noexcept;

}  // namespace sock::store
