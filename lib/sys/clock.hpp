#pragma once

// The steady clock, also for a process that may call nothing of the C library.

#include <cstdint>
#include <ctime>

namespace sock::sys {

/// The kernel's own clock function in memory that is mapped into every process: no system call, no
/// thread-local state, so that it may be called between clone and execve.
using ClockFunction = int (*)(clockid_t clock, timespec* time);

/// Null where the kernel maps none.
[[nodiscard]] ClockFunction find_vdso_clock() noexcept;

[[nodiscard]] std::int64_t monotonic_nanoseconds() noexcept;

}  // namespace sock::sys
