// What is read of the memory of processes that may be hostile: CRIU's images of it, the kernel's
// list of areas, ELF files; and what is planned from that. The first byte chooses.

#include <algorithm>
#include <array>
#include <cstring>

#include "checkpoint/criu_images.hpp"
#include "checkpoint/criu_owners.hpp"
#include "checkpoint/criu_processes.hpp"
#include "checkpoint/elf_traits.hpp"
#include "checkpoint/image_plan.hpp"
#include "checkpoint/large_blocks.hpp"
#include "checkpoint/mapped_memory.hpp"
#include "checkpoint/memory_areas.hpp"
#include "checkpoint/told_bounds.hpp"
#include "checkpoint/told_mappings.hpp"
#include "input.hpp"

namespace sock::fuzz {
namespace {

using namespace checkpoint;

/// What is only told of a snapshot.
void tell(std::string_view bytes) {
  static_cast<void>(parse_processes(bytes, "pstree"));
  static_cast<void>(parse_process_name(bytes, "core"));
  static_cast<void>(parse_descriptor_table(bytes, "ids"));
  static_cast<void>(parse_descriptors(bytes, "fdinfo"));
  static_cast<void>(parse_open_files(bytes, "files"));
  ToldBounds bounds;
  static_cast<void>(told_mappings(bytes, bounds));
  static_cast<void>(mappings_in(bytes));
}

// Whoever is not the earlier user stays as he is: changed twice is changed once.
void change_users(std::string_view bytes) {
  const UserChange change{
      .earlier_uid = 1000, .earlier_gid = 1000, .uid = 2000, .gid = 2000, .groups = {}};
  for (const char* const name :
       {"core-1.img", "files.img", "memfd.img", "ghost-file-1.img", "ipcns-shm-1.img"}) {
    const auto once = change_owners(name, bytes, change);
    if (!once) continue;
    const auto twice = change_owners(name, *once, change);
    expect(twice && *twice == *once, "nobody is changed twice");
  }
}

void read_images(std::string_view bytes) {
  if (const auto memory = CriuMemory::parse(bytes, "mm")) {
    const auto areas = memory->areas();
    const auto again = CriuMemory::parse(memory->with(areas), "mm");
    expect(again && again->areas() == areas, "written and read, the areas are the same");
  }
  if (const auto map = CriuPageMap::parse(bytes, "pagemap")) {
    const auto again = CriuPageMap::parse(map->to_bytes(), "pagemap");
    expect(again && again->pages == map->pages, "written and read, the pages are the same");
  }
  if (auto files = CriuFiles::parse(bytes, "files")) {
    files->add_external(files->free_number(), "/memory-0");
    expect(CriuFiles::parse(files->to_bytes(), "files").has_value(), "a table with one more");
  }
  tell(bytes);
  change_users(bytes);
}

void read_elf(std::string_view bytes) {
  static_cast<void>(
      read_elf_traits([&](std::uint64_t offset, std::size_t size) -> Result<std::string> {
        expect(size <= 16U << 20U, "no more is asked for than is bounded");
        if (offset > bytes.size()) return std::string{};
        return std::string{bytes.substr(offset, size)};
      }));
}

void plan_zygote(std::string_view text) {
  const auto areas = parse_smaps(text);
  if (!areas) return;
  std::vector<WrittenArea> written;
  std::vector<std::uint64_t> blocks;
  for (const auto& area : *areas) {
    written.push_back({.area = area, .written = {{.begin = area.begin, .end = area.end}}});
    blocks.push_back(area.begin);
  }
  std::ranges::sort(blocks);
  const auto plan = plan_image(written, {}, blocks);
  if (!plan) return;
  for (const auto& copy : plan->copies)
    expect(copy.offset + copy.size <= plan->pages_size, "what is copied has a place");
}

/// Areas and pages one after the other, some of them neighbours, in units of pages.
void plan_container(std::string_view bytes) {
  constexpr std::uint64_t page = 4096;
  constexpr std::uint64_t file = 50;
  std::vector<CriuArea> areas;
  std::vector<CriuPages> pages;
  PageFiles files{.own = 99, .earlier = {{file, 1}}};
  std::uint64_t at = page;
  std::uint64_t content = 0;
  for (; bytes.size() >= 4; bytes.remove_prefix(4)) {
    const auto byte = [&](std::size_t number) {
      return static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[number]));
    };
    at += byte(0) % 4 * page;
    CriuArea area{.begin = at,
                  .end = at + (1 + byte(1)) * page,
                  .offset = 0,
                  .file = byte(2) % 3 == 0 ? file : 0,
                  .protection = static_cast<std::uint32_t>(byte(2) >> 5U),
                  .flags = byte(2) % 3 == 0 ? 0x02U : 0x22U,
                  .kind = byte(2) % 3 == 0 ? criu_area::regular | criu_area::file_private
                                           : criu_area::regular | criu_area::anonymous_private};
    area.like = areas.size();
    const std::uint64_t first = byte(3) % (1 + byte(1));
    pages.push_back({.begin = at + first * page, .end = area.end, .flags = 4});
    content += pages.back().end - pages.back().begin;
    if (byte(3) % 5 == 0 && byte(2) % 3 != 0) files.blocks.push_back(pages.back().begin);
    at = area.end;
    areas.push_back(area);
  }
  ToldBounds bounds;
  const auto told = told_mappings(areas, pages, {}, bounds);
  expect(told.has_value(), "areas that come one after the other are told");
  std::uint64_t copied = 0;
  for (const auto& mapping : *told) copied += mapping.copied_bytes;
  expect(copied == content, "each page is told once");
  files.replaces_earlier = areas.size() % 2 == 1;
  const auto plan = map_memory(areas, pages, files);
  if (!plan) return;
  std::uint64_t covered = 0;
  for (const auto& area : plan->areas) covered += area.size();
  for (const auto& area : areas) covered -= area.size();
  expect(covered == 0, "all areas are there, and nothing else");
  expect(std::ranges::is_sorted(plan->areas, {}, &CriuArea::begin), "areas are in order");
  for (const auto& move : plan->left) content -= move.size;
  for (const auto& move : plan->moved) {
    expect(move.target + move.size <= plan->size, "what is moved has a place");
    if (move.from == 0) content -= move.size;
  }
  expect(content == 0, "all pages are there, and once");
  for (const auto& area : plan->areas)
    for (const std::uint64_t block : files.blocks)
      expect(area.file != files.own || block < area.begin || block >= area.end,
             "the first page of a block is not mapped");
}

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sock::fuzz;
  constexpr std::array readers{read_images, read_elf, plan_zygote, plan_container};
  Input input{data, size};
  readers[input.choice(readers.size())](input.rest());
  return 0;
}
