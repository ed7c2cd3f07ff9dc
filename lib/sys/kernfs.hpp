#pragma once

// What the kernel's pseudo file systems need beyond ordinary files: reading small files at one go,
// waiting for a changed file, bounded pauses where there is nothing to wait on, and asking whether
// a directory may be changed.

#include <chrono>
#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "sys/process.hpp"

namespace sock::sys {

/// Re-reads a kept file that the kernel writes as one record, as it does all cgroup files but lists
/// of processes. KERNEL: a buffer that is not filled has the whole record, so there is no second
/// read to see the end, which would cost a third of the first.
Result<std::string> read_record(FdRef file);
/// True when the file has changed since it was last read through this descriptor, false at the
/// deadline.
Result<bool> wait_changed(FdRef file, Deadline deadline);
/// For the few states that no descriptor announces. Returns early on a signal.
void wait_for(std::chrono::nanoseconds pause) noexcept;
/// Whether the effective user may create entries in the directory. False when it is missing.
[[nodiscard]] bool is_writable(const std::string& directory) noexcept;

}  // namespace sock::sys
