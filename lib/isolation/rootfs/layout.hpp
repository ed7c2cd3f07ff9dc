#pragma once

// Where the parts of a root go: pure decisions about paths, made before anything is mounted.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sock/result.hpp"
#include "sock/spec.hpp"

namespace sock::isolation {

/// A place that has to exist in the root before something can be mounted on it.
struct MountPoint {
  enum class Kind : std::uint8_t { directory, file };
  std::string path;  ///< Absolute, without "." and "..".
  Kind kind = Kind::directory;
  friend bool operator==(const MountPoint&, const MountPoint&) = default;
};

/// Refuses relative paths, "..", empty components at the end of the world (NUL, over 4095 bytes),
/// and gives the path without doubled and trailing slashes and ".". `what` names the field.
Result<std::string> clean_path(std::string_view path, std::string_view what);

/// The first component: "usr" of "/usr/lib".
[[nodiscard]] std::string_view first_component(std::string_view path);
/// True for "/a/b" below "/a", false for "/ab" and for "/a" itself.
[[nodiscard]] bool is_below(std::string_view path, std::string_view directory);

/// Every field of a Rootfs that can be wrong by itself; the paths come back clean.
Result<Rootfs> check_rootfs(const Rootfs& rootfs);

/// "/packages/numpy-1.26" for ".../cache/numpy-1.26".
[[nodiscard]] std::string package_target(std::string_view source);

/// How many inodes a tmpfs gets: what the spec says, or a number that follows the size.
[[nodiscard]] std::uint64_t inode_limit(const Tmpfs& tmpfs) noexcept;

}  // namespace sock::isolation
