// PAGEMAP_SCAN: ranges of pages by what the kernel knows of them.

#include "sys/process_pages.hpp"

#include <array>
#include <cerrno>
#include <string>

#include <elf.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>

#include "base/try.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/process.hpp"

namespace sock::sys {
namespace {

// As in <linux/fs.h>, which is older than this on the distributions that we build on.
constexpr std::uint64_t page_is_file = 1U << 2U;
constexpr std::uint64_t page_is_present = 1U << 3U;
constexpr std::uint64_t page_is_swapped = 1U << 4U;
constexpr std::uint64_t page_is_zero = 1U << 5U;
constexpr std::uint64_t page_is_guard = 1U << 8U;

struct ScanRegion {
  std::uint64_t begin;
  std::uint64_t end;
  std::uint64_t categories;
};

struct ScanRequest {
  std::uint64_t size = sizeof(ScanRequest);
  std::uint64_t flags = 0;
  std::uint64_t begin;
  std::uint64_t end;
  std::uint64_t walked_to = 0;
  std::uint64_t regions;
  std::uint64_t region_count;
  std::uint64_t max_pages = 0;
  std::uint64_t inverted;
  std::uint64_t all_of;
  std::uint64_t any_of;
  std::uint64_t told;
};
constexpr unsigned long pagemap_scan = _IOWR('f', 16, ScanRequest);

struct Wanted {
  std::uint64_t none_of = 0;
  std::uint64_t any_of;
};

void append(std::vector<PageRange>& ranges, PageRange next) {
  if (!ranges.empty() && ranges.back().end == next.begin)
    ranges.back().end = next.end;
  else
    ranges.push_back(next);
}

Result<std::vector<PageRange>> scan(FdRef pagemap, PageRange area, Wanted wanted) {
  std::array<ScanRegion, 512> regions{};
  std::vector<PageRange> found;
  while (area.begin < area.end) {
    ScanRequest request{.begin = area.begin,
                        .end = area.end,
                        .regions = reinterpret_cast<std::uint64_t>(regions.data()),
                        .region_count = regions.size(),
                        .inverted = wanted.none_of,
                        .all_of = wanted.none_of,
                        .any_of = wanted.any_of,
                        .told = wanted.any_of};
    const int count = ::ioctl(pagemap.get(), pagemap_scan, &request);
    if (count < 0) return sys_error(errno, "pagemap");
    for (int i = 0; i < count; ++i)
      append(found, {.begin = regions[static_cast<std::size_t>(i)].begin,
                     .end = regions[static_cast<std::size_t>(i)].end});
    if (request.walked_to <= area.begin) break;
    area.begin = request.walked_to;
  }
  return found;
}

}  // namespace

Result<UniqueFd> open_process(FdRef pidfd) {
  auto directory =
      SOCK_TRY(open(cwd, "/proc/" + std::to_string(number_of(pidfd)), O_RDONLY | O_DIRECTORY));
  // While it lives, nobody else has its number.
  if (SOCK_TRY(wait_readable(pidfd, Deadline::min())))
    return base::refuse(Errc::closed, Stage::none, "process", "it has ended");
  return directory;
}

Result<std::vector<PageRange>> private_pages(FdRef pagemap, PageRange area) {
  return scan(
      pagemap, area,
      {.none_of = page_is_file | page_is_zero, .any_of = page_is_present | page_is_swapped});
}

Result<std::vector<PageRange>> used_pages(FdRef pagemap, PageRange area) {
  return scan(pagemap, area,
              {.none_of = page_is_zero, .any_of = page_is_present | page_is_swapped});
}

Result<bool> has_guard_pages(FdRef pagemap, PageRange area) {
  const auto guards = SOCK_TRY(scan(pagemap, area, {.any_of = page_is_guard}));
  return !guards.empty();
}

std::string_view own_vdso() noexcept {
  const auto* const begin = reinterpret_cast<const char*>(::getauxval(AT_SYSINFO_EHDR));
  if (begin == nullptr) return {};
  const auto* const header = reinterpret_cast<const Elf64_Ehdr*>(begin);
  return {begin, header->e_shoff + std::size_t{header->e_shnum} * header->e_shentsize};
}

}  // namespace sock::sys
