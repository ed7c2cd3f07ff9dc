// The kernel is asked what there is; of the process's own words only the names of its files are
// used.

#include "checkpoint/process_image.hpp"

#include <algorithm>
#include <chrono>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/try.hpp"
#include "checkpoint/image_plan.hpp"
#include "checkpoint/large_blocks.hpp"
#include "checkpoint/sparse_writer.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"
#include "sys/process_pages.hpp"
#include "wire/runtime_target.hpp"

namespace sock::checkpoint {
namespace {

constexpr std::size_t most_smaps = 64U << 20U;
constexpr std::uint64_t page_size = 4096;

Result<> require_time(sys::Deadline deadline) {
  if (std::chrono::steady_clock::now() < deadline) return {};
  return base::refuse(Errc::timed_out, Stage::checkpoint, "zygote",
                      "writing it down takes too long");
}

/// "DEVICE INODE PATH" each. Of those that are there under that name, what tells a later change.
MappedFiles find_files(FdRef root, std::string_view list) {
  MappedFiles found;
  while (!list.empty()) {
    const auto entry = list.substr(0, list.find('\0'));
    list.remove_prefix(std::min(entry.size() + 1, list.size()));
    const auto slash = entry.find(" /");
    if (slash == std::string_view::npos) continue;
    std::string path{entry.substr(slash + 1)};
    // The runtime's own: not in the root of a container, and another one after an upgrade.
    if (wire::is_of_runtime(path)) continue;
    const auto file = sys::open_in_root(root, path, O_PATH | O_NOFOLLOW);
    if (!file.has_value()) continue;
    const auto inode = sys::inode(*file);
    if (!inode.has_value() || !S_ISREG(inode->mode)) continue;
    found.emplace(entry.substr(0, slash),
                  MappedFile{.path = std::move(path),
                             .size = inode->size,
                             .mtime_s = inode->mtime.tv_sec,
                             .mtime_ns = static_cast<std::uint32_t>(inode->mtime.tv_nsec)});
  }
  return found;
}

Result<std::vector<WrittenArea>> find_areas(FdRef process, sys::Deadline deadline) {
  const auto pagemap = SOCK_TRY(sys::open(process, "pagemap", O_RDONLY));
  const auto text = SOCK_TRY(sys::read_file(process, "smaps", most_smaps));
  std::vector<WrittenArea> areas;
  for (auto& area : SOCK_TRY(parse_smaps(text))) {
    SOCK_TRY(require_time(deadline));
    const sys::PageRange range{.begin = area.begin, .end = area.end};
    std::vector<sys::PageRange> written;
    if (!area.is_shared && area.name != "[vsyscall]") {
      if (SOCK_TRY(sys::has_guard_pages(pagemap, range)))
        return base::refuse(Errc::unsupported, Stage::checkpoint, "memory",
                            "it has guard pages (MADV_GUARD_INSTALL)");
      written = SOCK_TRY(sys::private_pages(pagemap, range));
    }
    areas.push_back({.area = std::move(area), .written = std::move(written)});
  }
  return areas;
}

/// The C library's large blocks: they begin in memory that is anonymous, or was once.
Result<std::vector<std::uint64_t>> find_blocks(FdRef process, const std::vector<WrittenArea>& areas,
                                               const MappedFiles& files, sys::Deadline deadline) {
  const auto memory = SOCK_TRY(sys::open(process, "mem", O_RDONLY));
  std::vector<std::uint64_t> blocks;
  std::string buffer(1U << 20U, '\0');
  const auto look = [&](sys::PageRange range) -> Result<> {
    for (std::uint64_t at = range.begin; at < range.end;) {
      SOCK_TRY(require_time(deadline));
      const auto wanted = std::min<std::uint64_t>(range.end - at, buffer.size());
      const auto read = sys::read_at_offset(memory, buffer.data(), wanted, at);
      const std::size_t count = read.value_or(0) & ~(page_size - 1);
      if (count == 0) return {};  // Beyond the end of its file.
      find_large_blocks({buffer.data(), count}, at, blocks);
      at += count;
    }
    return {};
  };
  for (const auto& [area, written] : areas) {
    if (area.is_shared || area.name.starts_with("[v")) continue;
    const bool is_known = !area.file.empty() && files.contains(area.file);
    if (is_known || (area.protection & PROT_WRITE) == 0) continue;
    if (!area.file.empty())
      SOCK_TRY(look({.begin = area.begin, .end = area.end}));
    else
      for (const auto& range : written) SOCK_TRY(look(range));
  }
  std::ranges::sort(blocks);
  return blocks;
}

/// Copies memory, but no page of zeros: that stays a hole.
class PageWriter {
 public:
  PageWriter(FdRef memory, FdRef pages)
      : memory_{memory}, pages_{pages}, buffer_(buffer_size, '\0') {}

  Result<> copy(const PageCopy& range, sys::Deadline deadline) {
    for (std::uint64_t done = 0; done < range.size;) {
      SOCK_TRY(require_time(deadline));
      const auto wanted = std::min<std::uint64_t>(range.size - done, buffer_.size());
      const auto read = sys::read_at_offset(memory_, buffer_.data(), wanted, range.begin + done);
      if (!read.has_value() && read.error().sys_errno == EIO) {  // Beyond the end of its file.
        done += page_size;
        continue;
      }
      const auto count = SOCK_TRY(read);
      if (count == 0)
        return base::refuse(Errc::closed, Stage::checkpoint, "zygote", "its memory has gone");
      SOCK_TRY(write_sparsely(pages_, {buffer_.data(), count}, range.offset + done));
      done += count;
    }
    return {};
  }

 private:
  static constexpr std::size_t buffer_size = 1U << 20U;
  FdRef memory_;
  FdRef pages_;
  std::string buffer_;
};

constexpr int new_file = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

Result<> write_pages(FdRef process, const ImagePlan& plan, FdRef directory,
                     sys::Deadline deadline) {
  const auto memory = SOCK_TRY(sys::open(process, "mem", O_RDONLY));
  const auto pages = SOCK_TRY(sys::open_beneath(directory, pages_name, new_file, 0600));
  SOCK_TRY(sys::set_size(pages, plan.pages_size));
  PageWriter writer{memory, pages};
  for (const auto& range : plan.copies) SOCK_TRY(writer.copy(range, deadline));
  return {};
}

}  // namespace

Result<> write_process_image(const ParkedProcess& parked, FdRef directory, sys::Deadline deadline) {
  const auto process = SOCK_TRY(sys::open_process(parked.pidfd));
  const auto root = SOCK_TRY(sys::open(process, "root", O_PATH | O_DIRECTORY));
  const auto areas = SOCK_TRY(find_areas(process, deadline));
  const auto files = find_files(root, parked.files);
  const auto blocks = SOCK_TRY(find_blocks(process, areas, files, deadline));
  const auto plan = SOCK_TRY(plan_image(areas, files, blocks));
  SOCK_TRY(write_pages(process, plan, directory, deadline));
  const auto file = SOCK_TRY(sys::open_beneath(directory, plan_name, new_file, 0600));
  return sys::write_all(file, plan.to_bytes(parked.resumption));
}

}  // namespace sock::checkpoint
