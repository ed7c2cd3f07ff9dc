// Page tables tell what was needed: pages that a process has touched, or that were mapped with such
// a page because they were in memory already.

#include "checkpoint/working_set.hpp"

#include <algorithm>
#include <utility>

#include <fcntl.h>

#include "base/try.hpp"
#include "checkpoint/image_plan.hpp"
#include "checkpoint/process_image.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"
#include "sys/page_cache.hpp"
#include "sys/process_pages.hpp"

namespace sock::checkpoint {
namespace {

using loader::ByteRange;
namespace image = wire::image;

constexpr std::uint64_t close_by = 64U << 10U;
constexpr std::size_t sample_size = 16;  // Ranges.
constexpr std::size_t most_plan = image::restorer_size;

/// What a process has used of one mapping of `pages`, or got as a copy.
Result<std::vector<sys::PageRange>> used_of(FdRef pagemap, const image::Mapping& mapping) {
  const sys::PageRange whole{.begin = mapping.begin, .end = mapping.begin + mapping.size};
  if ((mapping.flags & image::is_copied) != 0) return std::vector{whole};
  return sys::used_pages(pagemap, whole);
}

/// The plan may be anybody's: only what is in `pages` is taken from it.
Result<std::vector<ByteRange>> find_used(FdRef pidfd, FdRef plan, FdRef pages) {
  const auto inode = SOCK_TRY(sys::inode(pages));
  const auto process = SOCK_TRY(sys::open_process(pidfd));
  const auto pagemap = SOCK_TRY(sys::open(process, "pagemap", O_RDONLY));
  const auto text = SOCK_TRY(sys::reread(plan, most_plan));
  std::vector<ByteRange> found;
  for (const auto& mapping : SOCK_TRY(mappings_in(text))) {
    if (mapping.file != image::pages || mapping.offset >= inode.size) continue;
    for (const auto& used : SOCK_TRY(used_of(pagemap, mapping))) {
      const std::uint64_t offset = mapping.offset + (used.begin - mapping.begin);
      if (offset < inode.size)
        found.push_back(
            {.offset = offset, .length = std::min(used.end - used.begin, inode.size - offset)});
    }
  }
  return joined(std::move(found));
}

/// Ranges spread over all of them; each is needed by every restore, so they leave memory together.
bool is_in_memory(FdRef pages, const std::vector<ByteRange>& ranges) {
  const std::size_t step = std::max<std::size_t>(1, ranges.size() / sample_size);
  for (std::size_t i = 0; i < ranges.size(); i += step) {
    const auto cached = sys::cached_bytes(pages, ranges[i].offset, ranges[i].length);
    if (!cached.has_value() || *cached < ranges[i].length) return false;
  }
  return true;
}

}  // namespace

std::vector<ByteRange> joined(std::vector<ByteRange> ranges) {
  std::ranges::sort(ranges, {}, &ByteRange::offset);
  std::vector<ByteRange> found;
  for (const ByteRange& range : ranges) {
    if (!found.empty()) {
      ByteRange& last = found.back();
      const std::uint64_t end = last.offset + last.length;
      if (range.offset <= end + close_by) {
        last.length = std::max(end, range.offset + range.length) - last.offset;
        continue;
      }
    }
    found.push_back(range);
  }
  return found;
}

void WorkingSet::fetch(FdRef images, FdRef pages) const {
  const auto wanted = files();
  if (!wanted || is_in_memory(pages, wanted->front().ranges)) return;
  static_cast<void>(loader::make_loader({})->prefetch(images, *wanted, {}).has_value());
}

void WorkingSet::record(FdRef pidfd, FdRef plan, FdRef pages) {
  {
    const std::scoped_lock lock{mutex_};
    if (files_ || attempts_left_ == 0) return;
    --attempts_left_;
  }
  auto used = find_used(pidfd, plan, pages);
  if (!used.has_value() || used->empty()) return;
  const std::scoped_lock lock{mutex_};
  files_ = std::make_shared<const Files>(Files{{.path = pages_name, .ranges = std::move(*used)}});
}

std::vector<ByteRange> WorkingSet::ranges() const {
  const auto found = files();
  return found ? found->front().ranges : std::vector<ByteRange>{};
}

std::shared_ptr<const WorkingSet::Files> WorkingSet::files() const {
  const std::scoped_lock lock{mutex_};
  return files_;
}

}  // namespace sock::checkpoint
