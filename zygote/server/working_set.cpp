// Reading /proc/self/pagemap, and MADV_POPULATE.

#include "server/working_set.hpp"

#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace sock::zygote {
namespace {

constexpr int populate_read = 22;
constexpr int populate_write = 23;
constexpr std::uint64_t page_size = 4096;
constexpr std::size_t most_ranges = 2048;
// Pages of files between two touched ones cost less to map than another call.
constexpr std::uint64_t read_gap = 4 * page_size;

// Of /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst).
constexpr std::uint64_t present = std::uint64_t{1} << 63U;
constexpr std::uint64_t of_file = std::uint64_t{1} << 61U;
constexpr std::uint64_t mapped_here_only = std::uint64_t{1} << 56U;

struct Range {
  std::uint64_t start;
  std::uint64_t end;
  std::uint64_t advice;
};

Range ranges[most_ranges];
std::size_t range_count = 0;

/// Adds a page to the last range, if it continues it, or begins one. False: there is no more room.
bool add(std::uint64_t page, std::uint64_t advice) noexcept {
  const std::uint64_t gap = advice == populate_read ? read_gap : 0;
  if (range_count > 0) {
    Range& last = ranges[range_count - 1];
    if (last.advice == advice && page >= last.end && page - last.end <= gap) {
      last.end = page + page_size;
      return true;
    }
  }
  if (range_count == most_ranges) return false;
  ranges[range_count++] = {.start = page, .end = page + page_size, .advice = advice};
  return true;
}

/// A private page that is mapped here only was copied, or is new; what else is present and belongs
/// to no file came with the fork.
bool add_mapping(int pagemap, std::uint64_t start, std::uint64_t end) noexcept {
  std::uint64_t entries[512];
  for (std::uint64_t at = start; at < end; at += sizeof entries / sizeof *entries * page_size) {
    const ssize_t size = ::pread(pagemap, entries, sizeof entries,
                                 static_cast<off_t>(at / page_size * sizeof *entries));
    const std::size_t count = size > 0 ? static_cast<std::size_t>(size) / sizeof *entries : 0;
    for (std::size_t i = 0; i < count && at + i * page_size < end; ++i) {
      if ((entries[i] & present) == 0) continue;
      const bool is_file = (entries[i] & of_file) != 0;
      if (!is_file && (entries[i] & mapped_here_only) == 0) continue;
      if (!add(at + i * page_size, is_file ? populate_read : populate_write)) return false;
    }
  }
  return true;
}

bool collect() noexcept {
  std::FILE* const maps = std::fopen("/proc/self/maps", "re");
  const int pagemap = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  char line[4352];
  bool fits = maps != nullptr && pagemap >= 0;
  range_count = 0;
  while (fits && std::fgets(line, sizeof line, maps) != nullptr) {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    char mode[5] = {};
    if (std::sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &end, mode) != 3) continue;
    // The kernel's own pages ([vdso] and the like) are always there.
    const bool is_private = mode[3] == 'p' && std::strstr(line, " [v") == nullptr;
    if (is_private && mode[0] == 'r') fits = add_mapping(pagemap, start, end);
  }
  if (maps != nullptr) std::fclose(maps);
  if (pagemap >= 0) ::close(pagemap);
  return fits;
}

}  // namespace

bool record_working_set(int pipe) noexcept {
  if (!collect()) return false;
  const std::size_t size = range_count * sizeof(Range);
  return ::write(pipe, ranges, size) == static_cast<ssize_t>(size);
}

bool learn_working_set(int pipe) noexcept {
  std::size_t size = 0;
  range_count = 0;
  while (size < sizeof ranges) {
    const ssize_t part = ::read(pipe, reinterpret_cast<char*>(ranges) + size, sizeof ranges - size);
    if (part < 0 && errno == EINTR) continue;
    if (part <= 0) break;
    size += static_cast<std::size_t>(part);
  }
  range_count = size / sizeof(Range);
  return range_count > 0;
}

void populate_working_set() noexcept {
  for (std::size_t i = 0; i < range_count; ++i)
    ::madvise(reinterpret_cast<void*>(ranges[i].start), ranges[i].end - ranges[i].start,
              static_cast<int>(ranges[i].advice));
}

}  // namespace sock::zygote
