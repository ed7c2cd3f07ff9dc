#pragma once

// Which pages another process has written, and what is in them.

#include <cstdint>
#include <string_view>
#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

struct PageRange {
  std::uint64_t begin;
  std::uint64_t end;
  friend bool operator==(const PageRange&, const PageRange&) = default;
};

/// The files of one process: /proc/PID, which stays that of this process when it has ended.
/// Errc::closed when it has.
Result<UniqueFd> open_process(FdRef pidfd);

/// Those in [begin, end) that are the process's own, in memory or swapped out: not of a file, not
/// the kernel's page of zeros. `pagemap`: /proc/PID/pagemap.
/// KERNEL: since 6.7.
Result<std::vector<PageRange>> private_pages(FdRef pagemap, PageRange area);
/// Those in [begin, end) that it has touched since it mapped them, or that were mapped with such a
/// page because they were in memory.
/// KERNEL: since 6.7.
Result<std::vector<PageRange>> used_pages(FdRef pagemap, PageRange area);
/// Whether an access to any of them ends in a signal (MADV_GUARD_INSTALL).
/// KERNEL: since 6.15; Errc::unsupported before.
Result<bool> has_guard_pages(FdRef pagemap, PageRange area);

/// This process's vdso, whole; all processes have the same one. Empty where the kernel gives none.
std::string_view own_vdso() noexcept;

}  // namespace sock::sys
