#pragma once

// All that a container's first process does between clone and execve: decided, allocated, opened
// and checked by the parent. The child only walks it.

#include <cstdint>
#include <type_traits>

#include <linux/filter.h>
#include <sys/types.h>
#include <time.h>

#include "sock/result.hpp"

#include "sys/raw.hpp"

namespace sock::child {

inline constexpr std::size_t stage_count = static_cast<std::size_t>(Stage::stats) + 1;

/// In memory that the child shares with its suspended parent, so that no pipe is needed.
struct Report {
  Stage failed = Stage::none;  ///< none: everything up to execve() went well.
  std::int32_t sys_errno = 0;
  std::uint32_t index = 0;     ///< Which mount, limit, group or descriptor.
  bool executing = false;      ///< Every step before the payload has been done.
  int socket = -1;             ///< Of a child with memory of its own: where it sends this report.
  std::int64_t last_mark = 0;  ///< Monotonic nanoseconds of the last finished stage.
  std::int64_t elapsed[stage_count] = {};
};

/// A prepared, detached mount, and where it goes below the root.
struct MountStep {
  int mount;
  const char* target;
};

struct LimitStep {
  int resource;
  std::uint64_t value;
};

/// Namespaces of another owner, entered by an intermediate process that then makes the real one as
/// a sibling (CLONE_PARENT): what a rootless Host and exec need, since a pid or user namespace only
/// takes effect on the next child.
struct EnterPlan {
  int target = -1;       ///< A pidfd, or a user namespace.
  int target_kinds = 0;  ///< CLONE_NEW* of `target`.
  int mount_namespace = -1;
  int user_namespace = -1;  ///< Entered last.
  sys::raw::CloneRequest clone{};
  long cloned = 0;  ///< Out: the process, or a negative errno.
};

struct Plan {
  Report* report = nullptr;
  /// The vDSO's, by address: a mark costs 0.03 us instead of a system call's 1.3. May be null.
  int (*clock)(clockid_t, timespec*) = nullptr;

  // cgroup_join
  const int* cgroups = nullptr;  ///< See Cgroup::join_fds().
  std::uint32_t cgroup_count = 0;

  // namespaces
  int mount_namespace = -1;    ///< The Host's empty one; -1: entered already.
  int network_namespace = -1;  ///< -1: made by clone, or shared.
  bool loopback_up = false;
  bool own_cgroup_namespace = false;
  const char* hostname = nullptr;
  std::uint32_t hostname_size = 0;

  // mounts and root
  bool builds_root = false;  ///< Create does; exec finds it built.
  int root = -1;             ///< The detached tree; -1: "/" is the root already.
  bool own_mount_namespace = false;
  const char* attach_point = nullptr;  ///< In the empty namespace, for own_mount_namespace.
  const MountStep* mounts = nullptr;   ///< Before Linux 6.15: all of them.
  std::uint32_t mount_count = 0;
  int user_namespace = -1;
  const char* cwd = "/";

  // rlimits and identity
  const LimitStep* limits = nullptr;
  std::uint32_t limit_count = 0;
  bool set_groups = true;  ///< A rootless user namespace cannot.
  const gid_t* groups = nullptr;
  std::uint32_t group_count = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  bool controlling_terminal = false;

  // landlock, capabilities, seccomp
  int landlock = -1;
  std::uint64_t kept_capabilities = 0;
  int last_capability = 0;
  const sock_fprog* seccomp = nullptr;

  bool forked = false;  ///< There will be no execve() to finish what the steps have begun.
  bool bounding_set_is_empty = false;  ///< Inherited so.
  /// Of a forked process: the signals that are not at their defaults.
  std::uint64_t signals_to_reset = ~std::uint64_t{0};

  // signals, descriptors and exec
  bool handlers_cleared = false;  ///< By CLONE_CLEAR_SIGHAND.
  const int* fds = nullptr;       ///< What becomes 0, 1, 2, ...; -1 is /dev/null.
  std::uint32_t fd_count = 0;
  const char* const* programs = nullptr;  ///< Candidates by PATH, in order; null-terminated.
  char* const* argv = nullptr;
  char* const* envp = nullptr;

  // init: when set, it becomes pid 1 and the payload pid 2.
  int init = -1;
  char* const* init_argv = nullptr;
  char* init_pid_text =
      nullptr;  ///< Room for 12 characters inside init_argv, for the payload's pid.
  int life_line = -1;
  int init_report = -1;
  void* payload_stack_top = nullptr;
};

static_assert(std::is_trivially_copyable_v<Plan> && std::is_trivially_destructible_v<Plan>);
static_assert(std::is_trivially_copyable_v<EnterPlan>);

/// Entry of the process that becomes the container's first; `plan` is a Plan. Does not return.
///
/// It shares memory with a parent of which only the calling thread is suspended. So nothing here
/// may allocate, lock, throw, log, or touch thread-local state: raw system calls only.
/// tests/lint/child_symbols.py checks the object file's undefined symbols.
void run(void* plan) noexcept;

/// Entry of the intermediate process; `plan` is an EnterPlan. Does not return.
void enter(void* plan) noexcept;

}  // namespace sock::child
