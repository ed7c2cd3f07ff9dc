#pragma once

// A process in a group, started as the launcher starts one: for tests on the real kernel.

#include <chrono>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>

#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/fd.hpp"

#include "isolation/cgroup/pool.hpp"
#include "sys/process.hpp"

namespace sock::isolation {

inline sys::Deadline soon() {
  return std::chrono::steady_clock::now() + std::chrono::seconds{20};
}

/// Killed and reaped at the end.
class Payload {
 public:
  /// `work` runs in the group; it ends the process when it returns.
  Payload(FdRef clone_into, std::span<const int> join_fds, const std::function<void()>& work) {
    int ready[2];
    if (::pipe(ready) != 0) std::abort();
    int pidfd = -1;
    clone_args arguments{};
    arguments.flags = CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
    arguments.exit_signal = SIGCHLD;
    if (clone_into) {
      arguments.flags |= CLONE_INTO_CGROUP;
      arguments.cgroup = static_cast<std::uint64_t>(clone_into.get());
    }
    const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) {
      for (const int fd : join_fds)
        if (::write(fd, "0", 1) != 1) ::_exit(99);
      if (::write(ready[1], "r", 1) != 1) ::_exit(98);
      work();
      ::_exit(0);
    }
    if (pid < 0) std::abort();
    ::close(ready[1]);
    char byte = 0;
    ready_ = ::read(ready[0], &byte, 1) == 1;
    ::close(ready[0]);
    pidfd_ = UniqueFd{pidfd};
    pid_ = static_cast<pid_t>(pid);
  }
  explicit Payload(const Cgroup& group, const std::function<void()>& work = wait_for_death)
      : Payload{group.clone_into(), group.join_fds(), work} {}
  Payload(const Payload&) = delete;
  Payload& operator=(const Payload&) = delete;
  ~Payload() {
    if (reaped_) return;
    (void)sys::send_signal(pidfd_, SIGKILL);
    (void)end();
  }

  static void wait_for_death() {
    for (;;) ::pause();
  }

  [[nodiscard]] bool is_ready() const { return ready_; }  ///< It was alive in all its groups.
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool is_dead() const {
    return sys::wait_readable(pidfd_, sys::Deadline{}).value_or(false);
  }
  /// Waits for its end; the signal's number, or 0.
  int end() {
    const auto status = sys::reap(pidfd_);
    reaped_ = true;
    return status && *status && (*status)->signaled ? (*status)->value : 0;
  }

 private:
  UniqueFd pidfd_;
  pid_t pid_ = -1;
  bool ready_ = false;
  bool reaped_ = false;
};

}  // namespace sock::isolation
