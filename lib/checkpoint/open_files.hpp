#pragma once

// What the processes of a container have open, as /proc tells it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "sock/result.hpp"

namespace sock::checkpoint {

struct OpenFile {
  pid_t pid;
  int number;
  std::string link;  ///< "/etc/passwd", "pipe:[123]", "anon_inode:[eventfd]"
  std::uint64_t device;
  std::uint64_t inode;
  std::uint64_t node;  ///< Of a character device: which one; else 0.
};

/// `first` and all its descendants, parents first. Processes that end meanwhile are left out.
Result<std::vector<pid_t>> processes_below(pid_t first);
Result<std::vector<OpenFile>> open_files(const std::vector<pid_t>& processes);

/// Why a file cannot be in a snapshot, in words after "process 7, descriptor 5: "; empty for one
/// that can, as far as this can be said without asking CRIU. Pure.
std::optional<std::string_view> why_not(const OpenFile& file);

}  // namespace sock::checkpoint
