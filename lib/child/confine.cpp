// The steps that a created and a forked container's process have in common.

#include "child/confine.hpp"

#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <net/if.h>

#include "child/kernel.hpp"
#include "child/report.hpp"

namespace sock::child {
namespace {

using sys::raw::call;

void bring_up_loopback(const Plan& plan) noexcept {
  const long control = call(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  check(plan, Stage::namespaces, control);
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  check(plan, Stage::namespaces, call(SYS_ioctl, control, SIOCSIFFLAGS, &request));
  call(SYS_close, control);
}

// Host directories are still open here, so no link of the image may lead through /proc/self/fd
// (CVE-2024-21626). The kernel's own word on where that ended is asked as well.
void change_directory(const Plan& plan) noexcept {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_NO_MAGICLINKS;
  const long dir = call(SYS_openat2, AT_FDCWD, plan.cwd, &how, sizeof how);
  check(plan, Stage::root, dir, cwd_index);
  check(plan, Stage::root, call(SYS_fchdir, dir), cwd_index);
  call(SYS_close, dir);
  char where[4096];
  check(plan, Stage::root, call(SYS_getcwd, where, sizeof where), cwd_index);
  if (where[0] != '/') fail(plan, Stage::root, -error_not_found, cwd_index);  // "(unreachable)..."
}

void enter_root(const Plan& plan) noexcept {
  if (plan.user_namespace >= 0) {
    check(plan, Stage::namespaces, call(SYS_setns, plan.user_namespace, CLONE_NEWUSER));
    // So that a payload that mounts does it in a mount namespace of its own user namespace.
    if (plan.own_mount_namespace) check(plan, Stage::namespaces, call(SYS_unshare, CLONE_NEWNS));
    mark(plan, Stage::namespaces);
  }
  if (plan.root >= 0 && !plan.own_mount_namespace) {
    check(plan, Stage::root, call(SYS_fchdir, plan.root));
    check(plan, Stage::root, call(SYS_chroot, "."));
  }
  change_directory(plan);
  mark(plan, Stage::root);
}

void set_limits(const Plan& plan) noexcept {
  for (std::uint32_t i = 0; i < plan.limit_count; ++i) {
    const std::uint64_t both[2] = {plan.limits[i].value, plan.limits[i].value};
    check(plan, Stage::rlimits, call(SYS_prlimit64, 0, plan.limits[i].resource, both, nullptr), i);
  }
  call(SYS_umask, 022);
  mark(plan, Stage::rlimits);
}

// Leaves effective and permitted alone: the next step still needs them.
void set_identity(const Plan& plan) noexcept {
  check(plan, Stage::identity, call(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0));
  if (plan.set_groups)
    check(plan, Stage::identity, call(SYS_setgroups, plan.group_count, plan.groups));
  check(plan, Stage::identity, call(SYS_setresgid, plan.gid, plan.gid, plan.gid));
  check(plan, Stage::identity, call(SYS_setresuid, plan.uid, plan.uid, plan.uid));
  mark(plan, Stage::identity);
}

long set_capabilities(std::uint64_t permitted, std::uint64_t inheritable) noexcept {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  for (unsigned half = 0; half < 2; ++half) {
    data[half].effective = data[half].permitted =
        static_cast<std::uint32_t>(permitted >> (32 * half));
    data[half].inheritable = static_cast<std::uint32_t>(inheritable >> (32 * half));
  }
  return call(SYS_capset, &header, data);
}

std::uint64_t permitted_capabilities(const Plan& plan) noexcept {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  check(plan, Stage::capabilities, call(SYS_capget, &header, data));
  return data[0].permitted | std::uint64_t{data[1].permitted} << 32U;
}

// Decides what execve() leaves in all five sets. The permitted set itself is left to execve(),
// which empties it by the rules of capabilities(7): until then this process shares its parent's
// memory, and a payload of the same user that is already running in the container (after init's
// start, or beside an exec) may not trace or read a process that has more capabilities than itself.
void drop_capabilities(const Plan& plan) noexcept {
  const std::uint64_t kept = plan.kept_capabilities;
  // setresuid() to an ordinary user has cleared the effective set; dropping needs one of it.
  const std::uint64_t permitted = permitted_capabilities(plan);
  check(plan, Stage::capabilities, set_capabilities(permitted, kept));
  for (int capability = 0; capability <= plan.last_capability; ++capability)
    if (!plan.bounding_set_is_empty && (kept >> static_cast<unsigned>(capability) & 1U) == 0)
      check(plan, Stage::capabilities, call(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0));
  for (int capability = 0; capability <= plan.last_capability; ++capability)
    if ((kept >> static_cast<unsigned>(capability) & 1U) != 0)
      check(plan, Stage::capabilities,
            call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0));
  if (plan.forked) {
    check(plan, Stage::capabilities, set_capabilities(kept, kept));
    // It was cleared with the change of ids: without it, this process could not read its own /proc.
    check(plan, Stage::capabilities, call(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0));
  }
  check(plan, Stage::capabilities, call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  mark(plan, Stage::capabilities);
}

void restrict_by_landlock(const Plan& plan) noexcept {
  if (plan.landlock < 0) return;
  check(plan, Stage::landlock, call(landlock_restrict_self, plan.landlock, 0));
  mark(plan, Stage::landlock);
}

// Everything at its default and nothing pending for the parent's handlers. The mask stays: all
// blocked, until the payload is about to start.
void reset_signals(const Plan& plan) noexcept {
  KernelSigaction default_action{};
  const auto reset = [&](int number) {
    call(SYS_rt_sigaction, number, &default_action, nullptr, sizeof(std::uint64_t));
  };
  if (!plan.handlers_cleared) {
    for (int number = 1; number <= 64; ++number)
      if ((plan.signals_to_reset >> static_cast<unsigned>(number - 1) & 1U) != 0) reset(number);
    return;
  }
  // clone3 has reset what was handled. What was ignored stays so; 64 calls would cost a third of
  // the whole start, so these are the ones that programs do ignore.
  constexpr int often_ignored[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGCHLD,
                                   SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH};
  for (const int number : often_ignored) reset(number);
}

// Above the numbers that the payload will use. A source that is there already may stay.
int move_up(const Plan& plan, std::uint32_t index, int source) noexcept {
  if (source > static_cast<int>(plan.fd_count)) return source;
  const long fd = call(SYS_fcntl, source, F_DUPFD_CLOEXEC, plan.fd_count + 1);
  check(plan, Stage::exec, fd, fd_index + index);
  return static_cast<int>(fd);
}

// The container's own, through its read-only /dev.
int open_null(const Plan& plan, std::uint32_t index) noexcept {
  open_how how{};
  how.flags = O_RDWR | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  const long fd = call(SYS_openat2, AT_FDCWD, "/dev/null", &how, sizeof how);
  check(plan, Stage::exec, fd, fd_index + index);
  return move_up(plan, index, static_cast<int>(fd));
}

// Sources may themselves be among the numbers 0..count-1, so those first move out of the way.
void arrange_fds(const Plan& plan) noexcept {
  constexpr std::uint32_t most = 64;
  int sources[most];
  int null = -1;
  // The socket that reports must not be in the way of what is put below it.
  if (plan.report->socket >= 0)
    plan.report->socket = move_up(plan, plan.fd_count, plan.report->socket);
  if (plan.fd_count > most) fail(plan, Stage::exec, -error_too_many, fd_index + plan.fd_count);
  for (std::uint32_t i = 0; i < plan.fd_count; ++i) {
    if (plan.fds[i] < 0 && null < 0) null = open_null(plan, i);
    sources[i] = plan.fds[i] < 0 ? null : move_up(plan, i, plan.fds[i]);
  }
  for (std::uint32_t i = 0; i < plan.fd_count; ++i)
    check(plan, Stage::exec, call(SYS_dup3, sources[i], i, 0), fd_index + i);
  std::uint32_t first_closed = plan.fd_count;
  if (plan.report->socket >= 0) {
    check(plan, Stage::exec, call(SYS_dup3, plan.report->socket, first_closed, O_CLOEXEC),
          fd_index + first_closed);
    plan.report->socket = static_cast<int>(first_closed++);
  }
  // Closed now, not by execve: the program's own path may be a link of the image's making.
  check(plan, Stage::exec, call(SYS_close_range, first_closed, ~0U, 0));
}

}  // namespace

void join_cgroups(const Plan& plan) noexcept {
  for (std::uint32_t i = 0; i < plan.cgroup_count; ++i)
    check(plan, Stage::cgroup_join, call(SYS_write, plan.cgroups[i], "0", 1), i);
  mark(plan, Stage::cgroup_join);
}

void enter_namespaces(const Plan& plan) noexcept {
  // KERNEL: a cgroup namespace made by clone is rooted in the parent's group, so it is made here,
  // after joining.
  if (plan.own_cgroup_namespace) check(plan, Stage::namespaces, call(SYS_unshare, CLONE_NEWCGROUP));
  if (plan.hostname != nullptr)
    check(plan, Stage::namespaces, call(SYS_sethostname, plan.hostname, plan.hostname_size));
  if (plan.network_namespace >= 0)
    check(plan, Stage::namespaces, call(SYS_setns, plan.network_namespace, CLONE_NEWNET));
  if (plan.loopback_up) bring_up_loopback(plan);
  mark(plan, Stage::namespaces);
}

void give_up_privilege(const Plan& plan) noexcept {
  enter_root(plan);
  set_identity(plan);
  drop_capabilities(plan);
  restrict_by_landlock(plan);
  reset_signals(plan);
}

// Last before the payload: its session, descriptors, limits, signals and filter.
void prepare_payload(const Plan& plan) noexcept {
  check(plan, Stage::identity, call(SYS_setsid));
  arrange_fds(plan);
  if (plan.controlling_terminal) check(plan, Stage::identity, call(SYS_ioctl, 0, TIOCSCTTY, 0));
  mark(plan, Stage::identity);
  set_limits(plan);  // After the descriptors: a low limit would refuse to arrange them.
  const std::uint64_t none = 0;
  call(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
  if (plan.seccomp != nullptr) {
    check(plan, Stage::seccomp, call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, plan.seccomp));
    mark(plan, Stage::seccomp);
  }
}

}  // namespace sock::child
