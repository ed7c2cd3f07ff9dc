// Few mappings make a fast restore, since each is a system call: what was written in a small area
// takes the whole area along, and neighbours become one.

#include "checkpoint/image_plan.hpp"

#include <algorithm>
#include <cstring>

#include <sys/mman.h>

#include "base/try.hpp"

namespace sock::checkpoint {
namespace {

namespace image = wire::image;
using image::Mapping;
using sys::PageRange;

// An area of at most this size is one mapping; in larger ones, holes of that size stay holes.
constexpr std::uint64_t small_area = 1U << 20U;
constexpr std::uint64_t hole = 64U << 10U;
constexpr std::uint64_t most_pages = std::uint64_t{16} << 30U;

std::unexpected<Error> cannot(const MemoryArea& area, std::string why) {
  return base::refuse(Errc::unsupported, Stage::checkpoint,
                      area.name.empty() ? "anonymous memory" : "memory of " + area.name,
                      std::move(why));
}

Result<> require_restorable(const MemoryArea& area) {
  constexpr std::uint64_t restorer_end = image::restorer_begin + image::restorer_size;
  if (area.is_shared && area.has("mw"))
    return cannot(area, "it is shared and may be written to: copies would not be");
  if (area.has("ht")) return cannot(area, "it is made of huge pages by reservation");
  if (area.has("io") || area.has("pf")) return cannot(area, "it is a device's");
  if (area.begin < restorer_end && area.end > image::restorer_begin)
    return cannot(area, "it is where the restorer has to be");
  return {};
}

/// What of an area goes into `pages`: whole, or runs with large holes between them.
std::vector<PageRange> runs_of(const WrittenArea& written) {
  const MemoryArea& area = written.area;
  // A restore is a fork: what the C library keeps of random numbers must not be in two processes.
  if (written.written.empty() || area.has("wf")) return {};
  if (area.size() <= small_area) return {{.begin = area.begin, .end = area.end}};
  std::vector<PageRange> runs;
  for (const PageRange& range : written.written) {
    if (!runs.empty() && range.begin - runs.back().end <= hole)
      runs.back().end = range.end;
    else
      runs.push_back(range);
  }
  return runs;
}

struct Piece : WrittenArea {
  bool is_apart = false;
};

// Of a file that is known, nothing is cut: no block of the allocator is there.
std::vector<Piece> cut(const WrittenArea& whole, const std::vector<std::uint64_t>& blocks) {
  constexpr std::uint64_t page = 4096;
  std::vector<Piece> pieces;
  std::uint64_t at = whole.area.begin;
  const auto add = [&](std::uint64_t end, bool is_apart) {
    if (at == end) return;
    Piece piece{whole, is_apart};
    piece.area.begin = at;
    piece.area.end = end;
    piece.area.offset += at - whole.area.begin;
    piece.written.clear();
    for (const PageRange& range : whole.written)
      if (range.begin < end && range.end > at)
        piece.written.push_back(
            {.begin = std::max(range.begin, at), .end = std::min(range.end, end)});
    pieces.push_back(std::move(piece));
    at = end;
  };
  if (!whole.area.is_shared)
    for (auto block = std::ranges::lower_bound(blocks, whole.area.begin);
         block != blocks.end() && *block < whole.area.end; ++block) {
      add(*block, false);
      add(*block + page, true);
    }
  add(whole.area.end, false);
  return pieces;
}

class Planner {
 public:
  Planner(const MappedFiles& files, const std::vector<std::uint64_t>& blocks)
      : known_{files}, blocks_{blocks} {}

  Result<> add(const WrittenArea& written) {
    SOCK_TRY(require_bounded());
    const MemoryArea& area = written.area;
    if (area.name == "[vsyscall]") return {};
    if (area.name.starts_with("[vvar") || area.name == "[vdso]") return add_special(area);
    SOCK_TRY(require_restorable(area));
    const bool is_known = !area.file.empty() && known_.contains(area.file);
    if (area.is_shared && !is_known) return cannot(area, "it is of a file without a name");
    if (area.has("gd")) return add_stack(written);
    for (auto& piece : cut(written, blocks_)) {
      const bool is_copied_file = !area.file.empty() && !is_known;
      if (is_copied_file)
        SOCK_TRY(add_copied_file(piece));
      else
        add_runs(piece);
    }
    return {};
  }

  Result<ImagePlan> finish() && {
    if (plan_.specials.empty() || !has_vdso_)
      return base::refuse(Errc::unsupported, Stage::checkpoint, "vdso", "the process has none");
    std::ranges::stable_sort(plan_.mappings, {}, &Mapping::file);
    SOCK_TRY(require_bounded());
    return std::move(plan_);
  }

 private:
  Result<> require_bounded() const {
    const auto refuse = [](std::string why) {
      return base::refuse(Errc::unsupported, Stage::checkpoint, "memory", std::move(why));
    };
    // Whoever reads it reads the holes as well.
    if (plan_.pages_size > most_pages) return refuse("more than 16 GiB would have to be copied");
    if (plan_.mappings.size() > image::most_mappings || plan_.files.size() > image::most_files)
      return refuse("too many mappings");
    if (path_bytes_ > image::most_path_bytes) return refuse("the paths of its files are too long");
    return {};
  }

  Result<> add_special(const MemoryArea& area) {
    auto& specials = plan_.specials;
    const bool follows =
        specials.empty() || specials.back().begin + specials.back().size == area.begin;
    if (!follows || has_vdso_ || specials.size() == image::most_specials)
      return cannot(area, "it is not where other processes have it");
    has_vdso_ = area.name == "[vdso]";
    specials.push_back({.begin = area.begin, .size = area.size()});
    return {};
  }

  // Nothing can be mapped again, so all of it is copied: also what was never touched.
  Result<> add_copied_file(const Piece& piece) {
    const MemoryArea& area = piece.area;
    constexpr std::uint64_t most = 256U << 20U;
    copied_files_ += area.size();
    if (copied_files_ > most)
      return cannot(area, "its file is gone, and all of those together are too large to be copied");
    const PageRange whole{.begin = area.begin, .end = area.end};
    // What may be mapped from the store is not for it to say (noexec), so code is read.
    const bool is_code = (area.protection & PROT_EXEC) != 0;
    add_pages(area, whole, {whole}, is_code || piece.is_apart ? image::is_copied : 0);
    return {};
  }

  // KERNEL: what grows down must be anonymous; it grows again to where it was.
  Result<> add_stack(const WrittenArea& written) {
    if (written.written.empty()) return {};
    const PageRange used{.begin = written.written.front().begin, .end = written.area.end};
    add_pages(written.area, used, written.written, image::grows_down | image::is_copied);
    return {};
  }

  void add_runs(const Piece& written) {
    const MemoryArea& area = written.area;
    const std::uint32_t flags = written.is_apart ? image::is_copied : 0;
    std::uint64_t at = area.begin;
    auto next = written.written.begin();
    for (const PageRange& run : runs_of(written)) {
      add_rest(area, {.begin = at, .end = run.begin});
      // Of a file also what was not written: the run is mapped as a whole.
      std::vector<PageRange> content;
      if (!area.file.empty()) content = {run};
      // Both are sorted.
      for (; area.file.empty() && next != written.written.end() && next->end <= run.end; ++next)
        content.push_back(*next);
      add_pages(area, run, content, flags);
      at = run.end;
    }
    add_rest(area, {.begin = at, .end = area.end});
  }

  // What nobody has written to: its file, or zero.
  void add_rest(const MemoryArea& area, PageRange range) {
    if (range.begin >= range.end) return;
    if (area.file.empty()) {
      add({.begin = range.begin,
           .size = range.end - range.begin,
           .offset = 0,
           .file = image::no_file,
           .protection = static_cast<std::uint16_t>(area.protection),
           .flags = static_cast<std::uint16_t>((area.has("nr") ? image::no_reserve : 0) |
                                               (area.has("wf") ? image::wipe_on_fork : 0))});
      return;
    }
    add({.begin = range.begin,
         .size = range.end - range.begin,
         .offset = area.offset + (range.begin - area.begin),
         .file = number_of(area.file),
         .protection = static_cast<std::uint16_t>(area.protection),
         .flags = static_cast<std::uint16_t>(area.is_shared ? image::is_shared : 0)});
  }

  void add_pages(const MemoryArea& area, PageRange range, const std::vector<PageRange>& content,
                 std::uint32_t flags) {
    const std::uint64_t offset = plan_.pages_size;
    for (const PageRange& each : content)
      plan_.copies.push_back({.begin = each.begin,
                              .size = each.end - each.begin,
                              .offset = offset + (each.begin - range.begin)});
    plan_.pages_size += range.end - range.begin;
    add({.begin = range.begin,
         .size = range.end - range.begin,
         .offset = offset,
         .file = image::pages,
         .protection = static_cast<std::uint16_t>(area.protection),
         .flags = static_cast<std::uint16_t>(flags)});
  }

  void add(const Mapping& next) {
    if (!plan_.mappings.empty()) {
      Mapping& last = plan_.mappings.back();
      const bool follows = last.begin + last.size == next.begin && last.file == next.file &&
                           last.protection == next.protection && last.flags == next.flags &&
                           (next.flags & image::grows_down) == 0 &&
                           (next.file == image::no_file || last.offset + last.size == next.offset);
      if (follows) {
        last.size += next.size;
        return;
      }
    }
    plan_.mappings.push_back(next);
  }

  std::uint32_t number_of(const std::string& file) {
    const auto next = static_cast<std::uint32_t>(plan_.files.size());
    const auto [found, is_new] = numbers_.try_emplace(file, next);
    if (is_new) {
      plan_.files.push_back(known_.find(file)->second);
      path_bytes_ += plan_.files.back().path.size() + 1;
    }
    return found->second;
  }

  const MappedFiles& known_;
  const std::vector<std::uint64_t>& blocks_;
  std::map<std::string, std::uint32_t> numbers_;
  ImagePlan plan_;
  bool has_vdso_ = false;
  std::uint64_t copied_files_ = 0;
  std::uint64_t path_bytes_ = 1;  // As ImagePlan::to_bytes() writes them: a NUL ends them all.
};

template <class T>
void append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

Result<ImagePlan> plan_image(const std::vector<WrittenArea>& areas, const MappedFiles& files,
                             const std::vector<std::uint64_t>& blocks) {
  Planner planner{files, blocks};
  for (const auto& area : areas) SOCK_TRY(planner.add(area));
  return std::move(planner).finish();
}

std::string ImagePlan::to_bytes(const image::Resumption& resumption) const {
  std::string paths;
  std::string table;
  for (const auto& file : files) {
    append(table, image::File{.size = file.size,
                              .mtime_s = file.mtime_s,
                              .mtime_ns = file.mtime_ns,
                              .path = static_cast<std::uint32_t>(paths.size())});
    paths.append(file.path).push_back('\0');
  }
  paths.push_back('\0');
  std::string bytes;
  append(bytes, image::Header{.magic = image::magic,
                              .version = image::version,
                              .resumption = resumption,
                              .special_count = static_cast<std::uint32_t>(specials.size()),
                              .file_count = static_cast<std::uint32_t>(files.size()),
                              .mapping_count = static_cast<std::uint32_t>(mappings.size()),
                              .path_bytes = static_cast<std::uint32_t>(paths.size())});
  for (const auto& special : specials) append(bytes, special);
  bytes += table;
  for (const auto& mapping : mappings) append(bytes, mapping);
  return bytes + paths;
}

Result<std::vector<Mapping>> mappings_in(std::string_view plan) {
  const auto damaged = [] {
    return base::refuse(Errc::corrupt, Stage::restore, "plan", "it is damaged");
  };
  image::Header header{};
  if (plan.size() < sizeof header) return damaged();
  std::memcpy(&header, plan.data(), sizeof header);
  if (header.magic != image::magic || header.version != image::version ||
      header.mapping_count > image::most_mappings)
    return damaged();
  const std::uint64_t begin = sizeof header +
                              std::uint64_t{header.special_count} * sizeof(image::Special) +
                              std::uint64_t{header.file_count} * sizeof(image::File);
  std::vector<Mapping> mappings(header.mapping_count);
  const std::uint64_t size = mappings.size() * sizeof(Mapping);
  if (begin > plan.size() || size > plan.size() - begin) return damaged();
  std::memcpy(mappings.data(), plan.data() + begin, size);
  return mappings;
}

}  // namespace sock::checkpoint
