// Processes by pidfd.

#include "sys/process.hpp"

#include <cstdint>
#include <vector>

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/try.hpp"
#include "sys/error.hpp"

namespace sock::sys {
namespace {

// KERNEL: PIDFD_GET_INFO since 6.13, exit information since 6.15. The headers of Debian 12 have
// neither. The status survives reaping for as long as the pidfd is open.
struct PidfdInfo {
  std::uint64_t mask;
  std::uint64_t cgroupid;
  std::uint32_t pid, tgid, ppid;
  std::uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
  std::int32_t exit_code;
};
static_assert(sizeof(PidfdInfo) == 64);
constexpr std::uint64_t pidfd_info_exit = 1U << 3U;
constexpr std::uint64_t pidfd_info_pid = 1U << 0U;
constexpr unsigned long pidfd_get_info = _IOWR(0xFF, 11, PidfdInfo);
constexpr unsigned long pidfd_get_pid_namespace = _IO(0xFF, 5);

std::optional<WaitStatus> status_of_reaped(FdRef pidfd) {
  PidfdInfo info{};
  info.mask = pidfd_info_exit;
  if (::ioctl(pidfd.get(), pidfd_get_info, &info) < 0) return {};
  if ((info.mask & pidfd_info_exit) == 0) return {};
  if (WIFSIGNALED(info.exit_code)) return WaitStatus{true, WTERMSIG(info.exit_code)};
  return WaitStatus{false, WEXITSTATUS(info.exit_code)};
}

}  // namespace

Result<> send_signal(FdRef pidfd, int number) {
  if (::syscall(SYS_pidfd_send_signal, pidfd.get(), number, nullptr, 0) < 0)
    return sys_error(errno, "signal " + std::to_string(number));
  return {};
}

namespace {

Result<bool> poll_until(std::span<pollfd> waiting, Deadline deadline) {
  for (;;) {
    // Subtracted only when it is ahead: the clock's first instants are too far back for a number.
    const auto now = std::chrono::steady_clock::now();
    const std::int64_t nanoseconds =
        deadline > now ? std::chrono::nanoseconds{deadline - now}.count() : 0;
    const timespec timeout{.tv_sec = nanoseconds / 1'000'000'000,
                           .tv_nsec = nanoseconds % 1'000'000'000};
    const int ready = ::ppoll(waiting.data(), waiting.size(),
                              deadline == Deadline::max() ? nullptr : &timeout, nullptr);
    if (ready >= 0) return ready > 0;
    if (errno != EINTR) return sys_error(errno, "poll");
  }
}

}  // namespace

Result<bool> wait_any(std::span<const FdRef> files, Deadline deadline) {
  std::vector<pollfd> waiting;
  for (const FdRef file : files)
    waiting.push_back({.fd = file.get(), .events = POLLIN, .revents = 0});
  return poll_until(waiting, deadline);
}

Result<bool> wait_readable(FdRef file, Deadline deadline) {
  pollfd one{.fd = file.get(), .events = POLLIN, .revents = 0};
  return poll_until({&one, 1}, deadline);
}

Result<std::optional<WaitStatus>> reap(FdRef pidfd) {
  siginfo_t info{};
  // __WALL: the child may have been made without an exit signal.
  const int result = retry(
      [&] { return ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | __WALL); });
  if (result < 0 && errno == ECHILD) return status_of_reaped(pidfd);
  if (result < 0) return sys_error(errno, "waitid");
  if (info.si_code == CLD_EXITED) return WaitStatus{false, info.si_status};
  return WaitStatus{true, info.si_status};
}

Result<std::optional<WaitStatus>> status_of_foreign(FdRef pidfd, Deadline deadline) {
  // KERNEL: the end of a process is readable, its reaping a hang-up.
  pollfd reaped{.fd = pidfd.get(), .events = 0, .revents = 0};
  if (!SOCK_TRY(poll_until({&reaped, 1}, deadline))) return std::optional<WaitStatus>{};
  return status_of_reaped(pidfd);
}

Result<UniqueFd> pid_namespace_of(FdRef pidfd) {
  const int ns = ::ioctl(pidfd.get(), pidfd_get_pid_namespace, 0);
  if (ns < 0) return sys_error(errno, "pid namespace");
  return UniqueFd{ns};
}

pid_t number_of(FdRef pidfd) {
  PidfdInfo info{};
  info.mask = pidfd_info_pid;
  if (::ioctl(pidfd.get(), pidfd_get_info, &info) < 0) return -1;
  return static_cast<pid_t>(info.pid);
}

Result<UniqueFd> open_pidfd(pid_t pid) {
  const long fd = ::syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0) return sys_error(errno, "pid " + std::to_string(pid));
  return UniqueFd{static_cast<int>(fd)};
}

}  // namespace sock::sys
