#pragma once

// Questions to the running kernel that change nothing.

#include <string>

namespace sock::sys {

bool has_clone3() noexcept;
/// KERNEL: CLONE_INTO_CGROUP since 5.7.
bool has_clone_into_cgroup() noexcept;
/// 0 where Landlock is missing or off.
int landlock_abi() noexcept;
/// True when the running kernel is at least `major`.`minor`.
bool kernel_at_least(int major, int minor) noexcept;

/// As `uname -r` and `uname -m` print them.
struct KernelName {
  std::string release;
  std::string machine;
};
KernelName kernel_name();

/// A cgroup hierarchy is mounted with favordynmods: entering a group never waits for a grace period
/// of RCU. The kernel has one such switch for all hierarchies. KERNEL: since 6.0.
bool favors_cgroup_changes();

bool has_seccomp_filters() noexcept;
/// KERNEL: since 5.1; may be switched off by sysctl or by a sandbox around us.
bool has_io_uring() noexcept;
bool is_executable(const char* path) noexcept;

/// A ruleset that only scopes; empty where the kernel cannot. Restricting a process to it keeps
/// that process from abstract sockets (and, if asked, signals) outside of its own domain.
enum class SignalScope : bool { open, closed };
int make_landlock_scope(SignalScope signals) noexcept;

/// The highest capability that the kernel knows.
int last_capability() noexcept;
bool has_capability_bound(int capability) noexcept;

}  // namespace sock::sys
