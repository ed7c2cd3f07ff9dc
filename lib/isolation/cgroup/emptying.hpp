#pragma once

// Killing everything in one group of any kind of hierarchy. Used for living groups and for those
// that a dead process left, so it needs only the directory, and nothing but lib/base and lib/sys.

#include <cstddef>
#include <cstdint>
#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "sys/process.hpp"

namespace sock::isolation {

enum class KillBy : std::uint8_t {
  cgroup_kill,  ///< The v2 file, where there is one, which reaches groups below as well.
  signals,      ///< A SIGKILL for each process, until none is left.
};

/// Thaws, kills and waits until no process is left in the group. Returns whether cgroup.kill was
/// written. On failure: Stage::kill; timed_out at the deadline.
/// KERNEL (6.12): where cgroup.kill was written once, a process that is put in by
/// CLONE_INTO_CGROUP is killed at birth.
Result<bool> empty_group(FdRef group, KillBy by, sys::Deadline deadline);

/// Processes in the group itself, without those that are in no pid namespace of ours.
Result<std::size_t> count_processes(FdRef group);

/// Removes the group, which has no process left. KERNEL: a group is busy until its last dying task
/// is gone. On failure: Stage::kill; timed_out at the deadline.
Result<> remove_empty(FdRef parent, const std::string& name, sys::Deadline deadline);

}  // namespace sock::isolation
