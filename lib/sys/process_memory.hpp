#pragma once

// How much memory a process holds, as /proc tells it.

#include <cstdint>
#include <string_view>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

/// Bytes.
struct ProcessMemory {
  std::uint64_t rss = 0;             ///< Mapped, whoever shares it.
  std::uint64_t pss = 0;             ///< Each page divided by the number of processes that map it.
  std::uint64_t private_memory = 0;  ///< What would be free without the process.
  std::uint64_t anonymous = 0;       ///< Of rss, what no file backs.
  friend bool operator==(const ProcessMemory&, const ProcessMemory&) = default;
};

/// The text of smaps_rollup; what is missing is 0.
[[nodiscard]] ProcessMemory parse_smaps_rollup(std::string_view text) noexcept;
/// Errc::closed when the process has ended. Blocking: the process cannot map or fault meanwhile.
Result<ProcessMemory> memory_of(FdRef pidfd);

}  // namespace sock::sys
