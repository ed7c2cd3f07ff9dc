#pragma once

// Where on cgroup v2 a Host makes its groups when the caller has named no place. The caller's own
// group is the obvious one, but a group with processes in it cannot have controllers below.

#include <string>

namespace sock::isolation {

/// `own` is the directory of the caller's own group, `top` that of the mount. The nearest of `own`
/// and the groups above it that has controllers, may have them below, and is writable: limits of
/// the groups around the caller still hold there. `own` when there is none.
[[nodiscard]] std::string find_place_for_groups(const std::string& own, const std::string& top);

}  // namespace sock::isolation
