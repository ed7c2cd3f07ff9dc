#pragma once

// Freezing and thawing of one group, by the v2 file or by the v1 freezer.

#include "sock/result.hpp"

#include "isolation/cgroup/backend.hpp"
#include "isolation/cgroup/leaf.hpp"
#include "sys/process.hpp"

namespace sock::isolation {

/// All tasks are frozen on return. On failure (Stage::pause; timed_out at the deadline) the group
/// is thawed again.
Result<> freeze(CgroupVersion version, const Leaf& leaf, sys::Deadline deadline);
/// On failure: Stage::resume.
Result<> thaw(CgroupVersion version, const Leaf& leaf);

}  // namespace sock::isolation
