#pragma once

// How the cgroup hierarchies of this machine are mounted, and where the caller is in each: parsed
// from the texts of /proc/self/mountinfo and /proc/self/cgroup. Pure but for read_layout().

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sock/result.hpp"

namespace sock::isolation {

/// One mounted hierarchy.
struct Hierarchy {
  std::vector<std::string> controllers;  ///< v1: the co-mounted ones. v2: cgroup.controllers.
  std::string mount_point;               ///< Absolute, escapes decoded.
  std::string mount_root;  ///< The cgroup that is seen at mount_point; not "/" for a bind mount.
  std::string own;         ///< The caller's cgroup, as /proc/self/cgroup names it.
  std::string directory = {};  ///< Absolute: where groups would be made. Empty: cannot be reached.
  bool writable = false;       ///< Whether they can be made there.
};

struct Layout {
  std::optional<Hierarchy> v2;
  std::vector<Hierarchy> v1;  ///< Without named hierarchies that have no controller.
};

/// Leaves `directory`, `writable` and the controllers of v2 empty. Lines it cannot understand are
/// skipped: the kernel may add file systems and fields.
[[nodiscard]] Layout parse_layout(std::string_view mountinfo, std::string_view own_cgroups);

/// The absolute directory of `parent` (relative to the mount point), or of the caller's own cgroup
/// when `parent` is empty. Empty when the mount does not show the caller's own cgroup.
[[nodiscard]] std::string group_directory(const Hierarchy& hierarchy, std::string_view parent);

/// Space, tab, newline and backslash are written as \040, \011, \012 and \134 in mountinfo.
[[nodiscard]] std::string decode_mount_path(std::string_view escaped);

/// The machine's layout, complete. On failure: /proc cannot be read.
Result<Layout> read_layout(const std::string& parent);

}  // namespace sock::isolation
