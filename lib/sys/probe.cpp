// Questions to the running kernel.

#include "sys/probe.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdio>

#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sys/file.hpp"

namespace sock::sys {
namespace {

// KERNEL: `scoped` since 6.12 (ABI 6); Debian 12's header ends before it.
struct LandlockRuleset {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};
constexpr std::uint64_t scope_abstract_unix_socket = 1;
constexpr std::uint64_t scope_signal = 2;
constexpr std::uint32_t create_ruleset_version = 1;

}  // namespace

bool has_clone3() noexcept {
  // Too small a structure: EINVAL from a kernel that knows the call.
  return ::syscall(SYS_clone3, nullptr, 0) < 0 && errno != ENOSYS;
}

bool has_clone_into_cgroup() noexcept {
  clone_args arguments{};
  arguments.flags = CLONE_INTO_CGROUP;
  arguments.cgroup = 0x7fff'fff0;  // No such descriptor: refused only after it was understood.
  return ::syscall(SYS_clone3, &arguments, sizeof arguments) < 0 && errno == EBADF;
}

bool has_seccomp_filters() noexcept {
  const std::uint32_t action = SECCOMP_RET_ERRNO;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool favors_cgroup_changes() {
  const auto mounts = read_file(cwd, "/proc/self/mounts", std::size_t{16} << 20U);
  return mounts && mounts->contains("favordynmods");
}

bool has_io_uring() noexcept {
  // No parameters: EFAULT from a kernel that would have read them.
  return ::syscall(SYS_io_uring_setup, 1, nullptr) < 0 && errno == EFAULT;
}

bool is_executable(const char* path) noexcept {
  return ::access(path, X_OK) == 0;
}

int landlock_abi() noexcept {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, create_ruleset_version);
  return version < 0 ? 0 : static_cast<int>(version);
}

int make_landlock_scope(SignalScope signals) noexcept {
  LandlockRuleset ruleset{};
  ruleset.scoped = scope_abstract_unix_socket | (signals == SignalScope::closed ? scope_signal : 0);
  return static_cast<int>(::syscall(SYS_landlock_create_ruleset, &ruleset, sizeof ruleset, 0));
}

bool kernel_at_least(int major, int minor) noexcept {
  utsname name{};
  int found_major = 0;
  int found_minor = 0;
  if (::uname(&name) < 0 ||
      std::sscanf(name.release, "%d.%d", &found_major, &found_minor) != 2)  // NOLINT(cert-err34-c)
    return false;
  return found_major > major || (found_major == major && found_minor >= minor);
}

KernelName kernel_name() {
  utsname name{};
  ::uname(&name);
  return {.release = name.release, .machine = name.machine};
}

int last_capability() noexcept {
  int last = CAP_LAST_CAP;
  while (::prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0) ++last;
  while (last > 0 && ::prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0) --last;
  return last;
}

bool has_capability_bound(int capability) noexcept {
  return ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1;
}

}  // namespace sock::sys
