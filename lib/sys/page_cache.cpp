// Advice, mincore(2) and cachestat(2).

#include "sys/page_cache.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/error.hpp"

namespace sock::sys {
namespace {

Result<> advise(FdRef file, std::uint64_t offset, std::uint64_t length, int advice) {
  const int problem =
      ::posix_fadvise(file.get(), static_cast<off_t>(offset), static_cast<off_t>(length), advice);
  if (problem != 0) return sys_error(problem, "advice");
  return {};
}

/// One mapping, only to be asked about.
class Mapping {
 public:
  Mapping(FdRef file, std::size_t size) noexcept
      : size_{size}, start_{::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0)} {}
  ~Mapping() {
    if (is_there()) ::munmap(start_, size_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  [[nodiscard]] bool is_there() const noexcept { return start_ != MAP_FAILED; }
  [[nodiscard]] void* start() const noexcept { return start_; }

 private:
  std::size_t size_;
  void* start_;
};

}  // namespace

Result<> advise_needed(FdRef file, std::uint64_t offset, std::uint64_t length) {
  return advise(file, offset, length, POSIX_FADV_WILLNEED);
}

Result<> advise_unneeded(FdRef file) {
  return advise(file, 0, 0, POSIX_FADV_DONTNEED);
}

Result<std::vector<CachedRange>> cached_ranges(FdRef file) {
  struct stat status {};
  if (::fstat(file.get(), &status) < 0) return sys_error(errno, "file");
  const auto size = static_cast<std::size_t>(status.st_size);
  std::vector<CachedRange> ranges;
  if (size == 0) return ranges;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const Mapping mapping{file, size};
  if (!mapping.is_there()) return sys_error(errno, "mapping");
  std::vector<unsigned char> is_cached((size + page - 1) / page);
  if (::mincore(mapping.start(), size, is_cached.data()) < 0) return sys_error(errno, "mincore");
  for (std::size_t i = 0; i < is_cached.size(); ++i) {
    if ((is_cached[i] & 1U) == 0) continue;
    const std::uint64_t offset = i * page;
    const std::uint64_t length = std::min<std::uint64_t>(page, size - offset);
    if (!ranges.empty() && ranges.back().offset + ranges.back().length == offset)
      ranges.back().length += length;
    else
      ranges.push_back({offset, length});
  }
  return ranges;
}

Result<std::uint64_t> cached_bytes(FdRef file, std::uint64_t offset, std::uint64_t length) {
  // As in <linux/mman.h>, which is older than this on the distributions that we build on.
  constexpr long cachestat = 451;
  struct {
    std::uint64_t offset;
    std::uint64_t length;
  } const range{offset, length};
  struct {
    std::uint64_t cached, dirty, under_writeback, evicted, recently_evicted;
  } pages{};
  if (::syscall(cachestat, file.get(), &range, &pages, 0) < 0) return sys_error(errno, "cachestat");
  return pages.cached * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace sock::sys
