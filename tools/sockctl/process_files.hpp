#pragma once

// What /proc tells of a process. The texts are understood by pure functions.

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "try.hpp"

namespace sockctl {

/// Bytes, from smaps_rollup. Private memory is what would be free without the process.
struct ProcessMemory {
  std::uint64_t rss = 0;
  std::uint64_t pss = 0;
  std::uint64_t private_memory = 0;
  friend bool operator==(const ProcessMemory&, const ProcessMemory&) = default;
};
ProcessMemory parse_smaps_rollup(std::string_view text);
/// Whether a process with this status file catches or ignores the signal.
bool handles_signal(std::string_view status, int number);

/// "smaps_rollup" or "status" of a process; an error when it has gone.
Result<std::string> read_process_file(pid_t pid, const std::string& name);

}  // namespace sockctl
