// From CRIU's areas and from a zygote's plan.

#include "checkpoint/told_mappings.hpp"

#include <algorithm>
#include <cstring>

#include <sys/mman.h>

#include "base/try.hpp"
#include "checkpoint/external_names.hpp"
#include "wire/process_image.hpp"

namespace sock::checkpoint {
namespace {

using Mapping = SnapshotProcess::Mapping;
namespace image = wire::image;

std::uint64_t overlap(const CriuArea& area, const CriuPages& pages) {
  const std::uint64_t begin = std::max(area.begin, pages.begin);
  const std::uint64_t end = std::min(area.end, pages.end);
  return end > begin ? end - begin : 0;
}

std::uint64_t copied_of(const CriuArea& area, const std::vector<CriuPages>& pages) {
  std::uint64_t bytes = 0;
  auto next = std::ranges::upper_bound(pages, area.begin, {}, &CriuPages::end);
  for (; next != pages.end() && next->begin < area.end; ++next) bytes += overlap(area, *next);
  return bytes;
}

template <class Range>
bool ascend(const std::vector<Range>& ranges) {
  std::uint64_t end = 0;
  return std::ranges::all_of(ranges, [&](const Range& range) {
    const bool follows = range.begin >= end && range.end > range.begin;
    end = range.end;
    return follows;
  });
}

std::string what_of(const CriuArea& area, const CriuOpenFile* file) {
  constexpr std::uint32_t vsyscall = 1U << 2U;
  constexpr std::uint32_t vdso = 1U << 3U;
  constexpr std::uint32_t vvar = 1U << 12U;
  if ((area.kind & criu_area::heap) != 0) return "[heap]";
  if ((area.flags & MAP_GROWSDOWN) != 0) return "[stack]";
  if ((area.kind & vsyscall) != 0) return "[vsyscall]";
  if ((area.kind & vdso) != 0) return "[vdso]";
  if ((area.kind & vvar) != 0) return "[vvar]";
  return file != nullptr ? file->name : "";
}

/// Cuts records off the front of a plan that is whole.
template <class Record>
std::vector<Record> cut_records(std::string_view& plan, std::size_t count) {
  std::vector<Record> records(count);
  const std::size_t size = count * sizeof(Record);
  std::copy_n(plan.data(), size, reinterpret_cast<char*>(records.data()));
  plan.remove_prefix(size);
  return records;
}

/// `paths`: each ended by a NUL.
std::string_view path_at(std::string_view paths, std::size_t at) {
  if (at >= paths.size()) return {};
  const auto path = paths.substr(at);
  return path.substr(0, path.find('\0'));
}

}  // namespace

Result<std::vector<Mapping>> told_mappings(std::vector<CriuArea> areas,
                                           const std::vector<CriuPages>& pages,
                                           const std::map<std::uint64_t, CriuOpenFile>& files,
                                           ToldBounds& bounds) {
  // Within other areas, without content.
  std::erase_if(areas, [](const CriuArea& area) { return (area.kind & criu_area::guard) != 0; });
  if (!ascend(areas) || !ascend(pages))
    return base::refuse(Errc::corrupt, Stage::checkpoint, "memory", "its areas are in no order");
  // Twice what a process may have, unless somebody has raised that.
  constexpr std::size_t most_areas = std::size_t{2} * image::most_mappings;
  if (areas.size() > most_areas)
    return base::refuse(Errc::corrupt, Stage::checkpoint, "memory", "it has too many areas");
  SOCK_TRY(bounds.add_mappings(areas.size()));
  std::vector<Mapping> told;
  told.reserve(areas.size());
  for (const CriuArea& area : areas) {
    constexpr std::uint32_t file_shared = 1U << 7U;
    const bool has_file = (area.kind & (criu_area::file_private | file_shared)) != 0;
    const auto found = has_file ? files.find(area.file) : files.end();
    const CriuOpenFile* file = found != files.end() ? &found->second : nullptr;
    Mapping mapping{.begin = area.begin,
                    .end = area.end,
                    .protection = static_cast<int>(area.protection),
                    .is_shared = (area.flags & MAP_TYPE) == MAP_SHARED,
                    .copied_bytes = copied_of(area, pages)};
    if (file != nullptr && file->is_external && is_page_file_key(file->name)) {
      mapping.mapped_bytes = area.size();
      file = nullptr;
    }
    mapping.what = what_of(area, file);
    SOCK_TRY(bounds.add_name(mapping.what.size()));
    told.push_back(std::move(mapping));
  }
  return told;
}

Result<std::vector<Mapping>> told_mappings(std::string_view plan, ToldBounds& bounds) {
  image::Header header{};
  const bool has_header = plan.size() >= sizeof header;
  if (has_header) std::memcpy(&header, plan.data(), sizeof header);
  if (!has_header || !image::is_whole(header, plan.size()) || plan.back() != '\0')
    return base::refuse(Errc::corrupt, Stage::checkpoint, "plan", "it is not what it should be");
  std::string_view rest = plan.substr(sizeof header);
  const auto specials = cut_records<image::Special>(rest, header.special_count);
  const auto files = cut_records<image::File>(rest, header.file_count);
  const auto mappings = cut_records<image::Mapping>(rest, header.mapping_count);
  SOCK_TRY(bounds.add_mappings(specials.size() + mappings.size()));
  std::vector<Mapping> told;
  told.reserve(specials.size() + mappings.size());
  for (const auto& special : specials)
    told.push_back({.begin = special.begin,
                    .end = special.begin + special.size,
                    .protection = PROT_READ,
                    .what = &special == &specials.back() ? "[vdso]" : "[vvar]"});
  for (const auto& each : mappings) {
    Mapping mapping{.begin = each.begin,
                    .end = each.begin + each.size,
                    .protection = each.protection,
                    .is_shared = (each.flags & image::is_shared) != 0};
    if (each.file == image::pages) {
      ((each.flags & image::is_copied) != 0 ? mapping.copied_bytes : mapping.mapped_bytes) =
          each.size;
    } else if (each.file < files.size()) {
      const auto path = path_at(rest, files[each.file].path);
      SOCK_TRY(bounds.add_name(path.size()));
      mapping.what = path;
    }
    if ((each.flags & image::grows_down) != 0) mapping.what = "[stack]";
    told.push_back(std::move(mapping));
  }
  std::ranges::sort(told, {}, &Mapping::begin);
  return told;
}

}  // namespace sock::checkpoint
