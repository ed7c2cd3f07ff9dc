// Looked for in what the kernel shows of this process.

#include "server/fork_safety.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace sock::zygote {
namespace {

bool has_one_thread() noexcept {
  struct stat tasks {};
  // A directory has two links of its own, and one for each entry.
  return ::stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink == 3;
}

/// A thread that was joined may not have ended for the kernel yet, and nothing tells when it has.
bool becomes_single_threaded() noexcept {
  constexpr int milliseconds = 200;
  for (int i = 0; i < milliseconds && !has_one_thread(); ++i) ::poll(nullptr, 0, 1);
  return has_one_thread();
}

/// Nothing that a zygote forks stays its child, so any is a package's, running or not.
bool has_children() noexcept {
  return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD;
}

/// The mode in a line "START-END rw-s OFFSET DEVICE INODE   PATH\n" of /proc/self/maps or smaps.
/// nullptr: it is none, as the lines "NAME: ..." between them.
const char* find_mode(const char* line) noexcept {
  const char* const space = std::strchr(line, ' ');
  const char* const dash = std::strchr(line, '-');
  const bool is_mapping = dash != nullptr && space != nullptr && dash < space;
  return is_mapping && std::strlen(space) > 4 ? space + 1 : nullptr;
}

bool is_shared(const char* mode) noexcept {
  return mode[3] == 's';
}

/// Calls look(line) for the lines of a file until it is true. false: the file cannot be read.
template <class Look>
bool for_each_line(const char* path, Look look) noexcept {
  std::FILE* const file = std::fopen(path, "re");
  if (file == nullptr) return false;
  char line[4352];  // A path and what is before it.
  while (std::fgets(line, sizeof line, file) != nullptr && !look(line)) continue;
  std::fclose(file);
  return true;
}

/// Whether there is any is cheap to know, and hardly ever so.
bool shares_memory() noexcept {
  bool shares = false;
  const bool read = for_each_line("/proc/self/maps", [&](const char* line) {
    const char* const mode = find_mode(line);
    return shares = mode != nullptr && is_shared(mode);
  });
  return shares || !read;
}

/// What is written there by one container would be read by its siblings. A mapping that nobody may
/// write to yet counts where mprotect() could change that.
const char* find_shared_memory() noexcept {
  static char said[512];
  if (!shares_memory()) return nullptr;
  bool found = false;
  bool shared = false;
  const bool read = for_each_line("/proc/self/smaps", [&](char* line) {
    if (const char* const mode = find_mode(line); mode != nullptr) {
      shared = is_shared(mode);
      line[std::strcspn(line, "\n")] = '\0';
      const char* const path = std::strchr(line, '/');
      std::snprintf(said, sizeof said, "has mapped memory that is shared with its children: %s",
                    path != nullptr ? path : "anonymous");
    } else if (std::strncmp(line, "VmFlags:", 8) == 0) {
      found = shared && std::strstr(line, " mw") != nullptr;
    }
    return found;
  });
  if (!read) return "cannot be looked at: /proc/self/smaps";
  return found ? said : nullptr;
}

}  // namespace

const char* unsafe_to_fork() noexcept {
  if (!becomes_single_threaded()) return "has started a thread";
  if (has_children()) return "has left a process behind";
  return find_shared_memory();
}

}  // namespace sock::zygote
