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

/// CRIU's names for a file that comes from outside the container.
struct ExternalFile {
  std::optional<std::string> when_dumping;  ///< Empty for a pipe, which needs no word then.
  std::string key;                          ///< When restoring.
};
/// `mount`: what the kernel calls the mount that the file is on. Pure.
ExternalFile external_file(const OpenFile& file, std::uint64_t mount);
/// The number of the mount that a descriptor is on.
Result<std::uint64_t> mount_of(const OpenFile& file);

}  // namespace sock::checkpoint
