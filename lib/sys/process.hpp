#pragma once

// Processes, always by pidfd: a number is never an identity.

#include <chrono>
#include <optional>
#include <span>

#include <sys/types.h>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

using Deadline = std::chrono::steady_clock::time_point;

/// From now on; the end of time for what is beyond it.
[[nodiscard]] inline Deadline deadline_in(std::chrono::milliseconds time) noexcept {
  const auto now = std::chrono::steady_clock::now();
  const auto most = std::chrono::floor<std::chrono::milliseconds>(Deadline::max() - now);
  return time < most ? now + time : Deadline::max();
}

/// How a child ended, as the kernel tells it.
struct WaitStatus {
  bool signaled;  ///< value is a signal number, else an exit code.
  int value;
};

Result<> send_signal(FdRef pidfd, int number);
/// True when the process has exited (or was reaped by somebody), false at the deadline.
Result<bool> wait_readable(FdRef file, Deadline deadline);
/// The same for any one of several.
Result<bool> wait_any(std::span<const FdRef> files, Deadline deadline);
/// Reaps an exited child. Empty when somebody else has reaped it and the kernel (before 6.15)
/// cannot tell the status any more. Blocking: only when it has not exited.
Result<std::optional<WaitStatus>> reap(FdRef pidfd);
/// How somebody else's child ended: waits until its parent has reaped it. Empty when it has not by
/// the deadline, or the kernel cannot tell.
/// KERNEL: since 6.15.
Result<std::optional<WaitStatus>> status_of_foreign(FdRef pidfd, Deadline deadline);
Result<UniqueFd> open_pidfd(pid_t pid);
/// The pid namespace that a process is in. KERNEL: since 6.11.
Result<UniqueFd> pid_namespace_of(FdRef pidfd);
/// In the caller's pid namespace; -1 when it has been reaped. For display, and for paths in /proc
/// that are looked at while the process is known to live.
pid_t number_of(FdRef pidfd);

}  // namespace sock::sys
