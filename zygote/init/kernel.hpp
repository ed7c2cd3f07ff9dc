#pragma once

// The few system calls of sock-init with their types. No C library: constants and structures are
// the kernel's own, results are negative errno values.

#include <cstddef>
#include <cstdint>

#include <asm/poll.h>
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/prctl.h>
#include <linux/signalfd.h>
#include <linux/time_types.h>
#include <linux/wait.h>

#include "sys/raw.hpp"

namespace sock::init {

inline constexpr int sigkill = 9;
inline constexpr int sigchld = 17;

/// The kernel's signal set: 64 signals, one bit each.
using SignalSet = std::uint64_t;
inline constexpr SignalSet every_signal = ~SignalSet{0};

[[noreturn]] inline void exit(int code) noexcept {
  for (;;) sys::raw::call(__NR_exit_group, code);
}

inline void become_undumpable(const char* name) noexcept {
  sys::raw::call(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  sys::raw::call(__NR_prctl, PR_SET_NAME, name, 0, 0, 0);
}

/// Closes [first, last]; an empty range is nothing.
inline void close_between(std::int64_t first, std::int64_t last) noexcept {
  if (first <= last) sys::raw::call(__NR_close_range, first, last, 0);
}

inline void block_every_signal() noexcept {
  constexpr int set_mask = 2;  // SIG_SETMASK
  sys::raw::call(__NR_rt_sigprocmask, set_mask, &every_signal, nullptr, sizeof every_signal);
}

/// An inherited SIG_IGN would make the kernel reap children by itself and lose their status.
inline void default_action(int signal) noexcept {
  const unsigned long action[4] = {};  // SIG_DFL, no flags, no restorer, empty mask
  sys::raw::call(__NR_rt_sigaction, signal, action, nullptr, sizeof every_signal);
}

/// Non-blocking.
inline int open_signals() noexcept {
  constexpr int nonblock = 04000;  // SFD_NONBLOCK
  return static_cast<int>(
      sys::raw::call(__NR_signalfd4, -1, &every_signal, sizeof every_signal, nonblock));
}

inline void send(int pid, int signal) noexcept {
  sys::raw::call(__NR_kill, pid, signal);
}

/// The pid of a child that has ended, 0 when none has, or a negative errno value.
inline int reap_any(std::int32_t& status) noexcept {
  return static_cast<int>(sys::raw::call(__NR_wait4, -1, &status, WNOHANG | __WALL, nullptr));
}

inline std::int64_t monotonic_ns() noexcept {
  constexpr int monotonic = 1;  // CLOCK_MONOTONIC
  __kernel_timespec now{};
  sys::raw::call(__NR_clock_gettime, monotonic, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

}  // namespace sock::init
