// Looked for in what the kernel shows of this process.

#include "server/fork_safety.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <sys/stat.h>
#include <sys/wait.h>

namespace sock::zygote {
namespace {

bool is_single_threaded() noexcept {
  struct stat tasks {};
  // A directory has two links of its own, and one for each entry.
  return ::stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink == 3;
}

/// Nothing that a zygote forks stays its child, so any is a package's, running or not.
bool has_children() noexcept {
  return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD;
}

/// A line of /proc/self/maps: "START-END rw-s OFFSET DEVICE INODE   PATH\n".
bool is_shared_and_writable(const char* line) noexcept {
  const char* const mode = std::strchr(line, ' ');
  return mode != nullptr && std::strlen(mode) > 4 && mode[2] == 'w' && mode[4] == 's';
}

/// What is written there by one container would be read by its siblings.
const char* find_shared_memory() noexcept {
  static char said[512];
  std::FILE* const maps = std::fopen("/proc/self/maps", "re");
  if (maps == nullptr) return "cannot be looked at: /proc/self/maps";
  char line[4352];  // A path and what is before it.
  const char* found = nullptr;
  while (found == nullptr && std::fgets(line, sizeof line, maps) != nullptr) {
    if (!is_shared_and_writable(line)) continue;
    line[std::strcspn(line, "\n")] = '\0';
    const char* const path = std::strchr(line, '/');
    std::snprintf(said, sizeof said, "has mapped memory that is shared with its children: %s",
                  path != nullptr ? path : "anonymous");
    found = said;
  }
  std::fclose(maps);
  return found;
}

}  // namespace

const char* unsafe_to_fork() noexcept {
  if (!is_single_threaded()) return "has started a thread";
  if (has_children()) return "has left a process behind";
  return find_shared_memory();
}

}  // namespace sock::zygote
