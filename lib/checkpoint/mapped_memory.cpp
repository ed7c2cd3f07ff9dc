// As with a zygote's image (image_plan.hpp), few mappings make a fast restore: an area is taken
// whole, or in runs with large holes between them. Of a file that is not ours, only exactly what
// was written, since nothing else of it is at hand.

#include "checkpoint/mapped_memory.hpp"

#include <algorithm>

#include <sys/mman.h>

namespace sock::checkpoint {
namespace {

// An area of at most this size is one mapping; in larger ones, holes of that size stay holes.
constexpr std::uint64_t small_area = 1U << 20U;
constexpr std::uint64_t largest_gap = 64U << 10U;
constexpr std::uint64_t page_size = 4096;
constexpr std::size_t most_areas = 16'384;
constexpr std::uint64_t most_bytes = std::uint64_t{16} << 30U;

/// Pages of one area, and where their content is.
struct Run {
  std::uint64_t begin;
  std::uint64_t end;
  std::uint64_t source;
  std::uint32_t flags;  ///< CRIU's.
};

/// Runs that become one mapping.
struct Group {
  std::uint64_t begin;
  std::uint64_t end;
  std::vector<Run> runs;
};

bool has_simple_advice(const CriuArea& area) {
  constexpr std::uint64_t huge_pages =
      (std::uint64_t{1} << MADV_HUGEPAGE) | (std::uint64_t{1} << MADV_NOHUGEPAGE);
  return (area.advice & ~huge_pages) == 0;
}

// Code is left to CRIU, since the store may be on a file system without execution; and what grows,
// is locked or wiped must be anonymous.
bool can_be_mapped(const CriuArea& area) {
  const std::uint32_t kind = area.kind & ~criu_area::heap;
  const bool is_private = kind == (criu_area::regular | criu_area::anonymous_private) ||
                          kind == (criu_area::regular | criu_area::file_private);
  const bool is_plain = (area.flags & (MAP_GROWSDOWN | MAP_LOCKED | MAP_HUGETLB | MAP_SHARED)) == 0;
  return is_private && is_plain && (area.protection & PROT_EXEC) == 0 && has_simple_advice(area);
}

bool is_anonymous(const CriuArea& area) {
  return (area.kind & criu_area::anonymous_private) != 0;
}

class Mapper {
 public:
  explicit Mapper(const PageFiles& files) : files_{files} {}

  void keep(const CriuArea& area) { memory_.areas.push_back(area); }

  /// `may_map`: otherwise it stays as it is, and CRIU fills it.
  void add(const CriuArea& area, std::vector<Run> runs, bool may_map) {
    const auto earlier = files_.earlier.find(area.file);
    const bool is_earlier = !is_anonymous(area) && earlier != files_.earlier.end();
    const bool is_replaced = is_earlier && files_.replaces_earlier;
    if ((runs.empty() && !is_replaced) || !may_map || !can_be_mapped(area)) {
      for (const Run& run : runs) leave(run);
      keep(area);
      return;
    }
    std::uint64_t at = area.begin;
    for (const Group& group : groups_of(area, std::move(runs), is_earlier, is_replaced)) {
      add_rest(area, at, group.begin);
      add_mapping(area, group, is_earlier ? earlier->second : 0);
      at = group.end;
    }
    add_rest(area, at, area.end);
  }

  std::optional<MappedMemory> finish() && {
    if (memory_.areas.size() > most_areas || memory_.size > most_bytes) return std::nullopt;
    return std::move(memory_);
  }

 private:
  static std::vector<Group> groups_of(const CriuArea& area, std::vector<Run> runs, bool is_earlier,
                                      bool is_replaced) {
    const bool has_all = is_anonymous(area) || is_earlier;
    if (is_replaced || (has_all && area.size() <= small_area))
      return {{.begin = area.begin, .end = area.end, .runs = std::move(runs)}};
    std::vector<Group> groups;
    for (const Run& run : runs) {
      const std::uint64_t gap = has_all ? largest_gap : 0;
      if (groups.empty() || run.begin - groups.back().end > gap)
        groups.push_back({.begin = run.begin, .end = run.end, .runs = {}});
      groups.back().end = run.end;
      groups.back().runs.push_back(run);
    }
    return groups;
  }

  void leave(const Run& run) {
    memory_.pages.push_back({.begin = run.begin, .end = run.end, .flags = run.flags});
    memory_.left.push_back(
        {.from = 0, .source = run.source, .target = left_size_, .size = run.end - run.begin});
    left_size_ += run.end - run.begin;
  }

  // What nobody has written to.
  void add_rest(const CriuArea& area, std::uint64_t begin, std::uint64_t end) {
    if (begin >= end) return;
    CriuArea rest = area;
    rest.begin = begin;
    rest.end = end;
    if (!is_anonymous(area)) rest.offset += begin - area.begin;
    memory_.areas.push_back(rest);
  }

  void add_mapping(const CriuArea& area, const Group& group, std::size_t earlier) {
    const std::uint64_t offset = memory_.size;
    std::uint64_t at = group.begin;
    const auto fill = [&](std::uint64_t end) {  // From the file that it was mapped from.
      if (earlier != 0 && at < end)
        memory_.moved.push_back({.from = earlier,
                                 .source = area.offset + (at - area.begin),
                                 .target = offset + (at - group.begin),
                                 .size = end - at});
    };
    for (const Run& run : group.runs) {
      fill(run.begin);
      memory_.moved.push_back({.from = 0,
                               .source = run.source,
                               .target = offset + (run.begin - group.begin),
                               .size = run.end - run.begin});
      at = run.end;
    }
    fill(group.end);
    CriuArea mapping = area;
    mapping.begin = group.begin;
    mapping.end = group.end;
    mapping.offset = offset;
    mapping.file = files_.own;
    mapping.flags = area.flags & ~static_cast<std::uint32_t>(MAP_ANONYMOUS);
    mapping.kind = criu_area::regular | criu_area::file_private | (area.kind & criu_area::heap);
    mapping.open = 0;  // O_RDONLY
    memory_.areas.push_back(mapping);
    // A page between two of them, or the kernel would make one of what has to stay apart.
    memory_.size += group.end - group.begin + page_size;
  }

  const PageFiles& files_;
  MappedMemory memory_ = {};
  std::uint64_t left_size_ = 0;
};

/// CRIU's list of pages, read along with its areas.
class Cursor {
 public:
  explicit Cursor(const std::vector<CriuPages>& pages) : pages_{pages} {}

  std::vector<Run> runs_of(const CriuArea& area) {
    std::vector<Run> runs;
    for (; at_ < pages_.size() && pages_[at_].begin < area.end; next()) {
      const std::uint64_t begin = pages_[at_].begin + taken_;
      if (begin < area.begin) break;  // In no area: is_done() never becomes true.
      const std::uint64_t end = std::min(pages_[at_].end, area.end);
      if (begin >= end) break;
      runs.push_back({.begin = begin, .end = end, .source = source_, .flags = pages_[at_].flags});
      source_ += end - begin;
      taken_ += end - begin;
      if (end < pages_[at_].end) break;  // The rest is the next area's.
    }
    return runs;
  }
  [[nodiscard]] bool is_done() const { return at_ == pages_.size(); }

 private:
  void next() {
    ++at_;
    taken_ = 0;
  }

  const std::vector<CriuPages>& pages_;
  std::size_t at_ = 0;
  std::uint64_t taken_ = 0;   ///< Of this entry.
  std::uint64_t source_ = 0;  ///< In the file of pages.
};

/// Pieces of an area, of which every second one, a page, has to be anonymous.
std::vector<CriuArea> cut(const CriuArea& area, const std::vector<std::uint64_t>& blocks) {
  std::vector<CriuArea> pieces;
  std::uint64_t at = area.begin;
  const auto add = [&](std::uint64_t begin, std::uint64_t end) {
    CriuArea piece = area;
    piece.begin = begin;
    piece.end = end;
    pieces.push_back(piece);
    at = end;
  };
  for (auto block = std::ranges::lower_bound(blocks, area.begin);
       block != blocks.end() && *block < area.end; ++block) {
    add(at, *block);
    add(*block, *block + page_size);
  }
  add(at, area.end);
  return pieces;
}

bool is_ascending(const std::vector<CriuPages>& pages) {
  std::uint64_t last = 0;
  for (const CriuPages& each : pages) {
    if (each.begin < last || each.end <= each.begin) return false;
    last = each.end;
  }
  return true;
}

}  // namespace

std::optional<MappedMemory> map_memory(const std::vector<CriuArea>& areas,
                                       const std::vector<CriuPages>& pages,
                                       const PageFiles& files) {
  if (!is_ascending(pages)) return std::nullopt;
  Mapper mapper{files};
  Cursor cursor{pages};
  std::uint64_t last = 0;
  for (std::size_t number = 0; number < areas.size(); ++number) {
    const CriuArea& area = areas[number];
    if ((area.kind & criu_area::guard) != 0) {  // Pages within an area, without any content.
      mapper.keep(area);
      continue;
    }
    if (area.begin < last) return std::nullopt;
    last = area.end;
    const bool is_whole = number + 1 == areas.size() || areas[number + 1].begin >= area.end;
    if (!is_whole || !is_anonymous(area) || !can_be_mapped(area)) {
      mapper.add(area, cursor.runs_of(area), is_whole);
      continue;
    }
    bool is_apart = false;
    for (const CriuArea& piece : cut(area, files.blocks)) {
      if (piece.size() > 0) mapper.add(piece, cursor.runs_of(piece), !is_apart);
      is_apart = !is_apart;
    }
  }
  if (!cursor.is_done()) return std::nullopt;
  return std::move(mapper).finish();
}

}  // namespace sock::checkpoint
