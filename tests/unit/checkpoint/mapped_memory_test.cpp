// Which memory of a container is mapped by a restore, and which CRIU goes on to copy.

#include "checkpoint/mapped_memory.hpp"

#include <stdexcept>

#include <sys/mman.h>

#include <gtest/gtest.h>

namespace sock::checkpoint {
namespace {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t mib = 1U << 20U;
constexpr std::uint64_t base = 0x5000'0000'0000;
constexpr std::uint32_t present = 4;
constexpr std::uint32_t own = 99;
constexpr std::uint32_t earlier = 50;

CriuArea anonymous(std::uint64_t begin, std::uint64_t size) {
  return {.begin = begin,
          .end = begin + size,
          .offset = 0,
          .file = 0,
          .protection = PROT_READ | PROT_WRITE,
          .flags = MAP_PRIVATE | MAP_ANONYMOUS,
          .kind = criu_area::regular | criu_area::anonymous_private};
}

CriuArea of_file(std::uint64_t begin, std::uint64_t size, std::uint64_t file,
                 std::uint64_t offset) {
  CriuArea area = anonymous(begin, size);
  area.file = file;
  area.offset = offset;
  area.flags = MAP_PRIVATE;
  area.kind = criu_area::regular | criu_area::file_private;
  return area;
}

CriuPages pages(std::uint64_t begin, std::uint64_t count) {
  return {.begin = begin, .end = begin + count * page, .flags = present};
}

MappedMemory mapped(const std::vector<CriuArea>& areas, const std::vector<CriuPages>& content,
                    const PageFiles& files = {.own = own}) {
  auto memory = map_memory(areas, content, files);
  if (!memory) throw std::runtime_error{"not mapped"};
  return std::move(*memory);
}

TEST(MappedMemory, TakesASmallAreaWhole) {
  const auto memory = mapped({anonymous(base, 8 * page)}, {pages(base + page, 2)});
  CriuArea expected = of_file(base, 8 * page, own, 0);
  expected.open = 0;
  EXPECT_EQ(memory.areas, std::vector{expected});
  EXPECT_EQ(memory.moved, (std::vector<PageMove>{{0, 0, page, 2 * page}}));
  EXPECT_EQ(memory.size, 9 * page);
  EXPECT_TRUE(memory.pages.empty());
  EXPECT_TRUE(memory.left.empty());
}

TEST(MappedMemory, KeepsLargeHolesOfALargeArea) {
  const auto memory = mapped({anonymous(base, 4 * mib)},
                             {pages(base, 1), pages(base + 2 * page, 1), pages(base + 2 * mib, 3)});
  ASSERT_EQ(memory.areas.size(), 4);
  EXPECT_EQ(memory.areas[0].size(), 3 * page);  // A small hole is taken along.
  EXPECT_EQ(memory.areas[1].kind, criu_area::regular | criu_area::anonymous_private);
  EXPECT_EQ(memory.areas[2].begin, base + 2 * mib);
  EXPECT_EQ(memory.areas[2].offset, 4 * page);
  EXPECT_EQ(memory.areas[3].end, base + 4 * mib);
  EXPECT_EQ(memory.moved,
            (std::vector<PageMove>{
                {0, 0, 0, page}, {0, page, 2 * page, page}, {0, 2 * page, 4 * page, 3 * page}}));
  EXPECT_EQ(memory.size, 8 * page);
}

TEST(MappedMemory, TakesOfAFileOnlyWhatWasWritten) {
  const auto memory = mapped({of_file(base, 8 * page, 7, 16 * page)}, {pages(base + 2 * page, 1)});
  ASSERT_EQ(memory.areas.size(), 3);
  EXPECT_EQ(memory.areas[0], of_file(base, 2 * page, 7, 16 * page));
  EXPECT_EQ(memory.areas[1].file, own);
  EXPECT_EQ(memory.areas[2], of_file(base + 3 * page, 5 * page, 7, 19 * page));
  EXPECT_EQ(memory.size, 2 * page);
}

TEST(MappedMemory, LeavesWhatMustBeAnonymousToCriu) {
  const std::vector<std::uint32_t> flags{MAP_GROWSDOWN, MAP_LOCKED, MAP_HUGETLB};
  std::vector<CriuArea> areas(flags.size() + 3, anonymous(0, 0));
  for (std::size_t number = 0; number < flags.size(); ++number)
    areas[number].flags |= flags[number];
  areas[3].protection |= PROT_EXEC;
  areas[4].advice = std::uint64_t{1} << MADV_WIPEONFORK;
  areas[5].kind |= 1U << 3U;  // The vdso.
  std::vector<CriuPages> content;
  for (std::size_t number = 0; number < areas.size(); ++number) {
    areas[number].begin = base + number * mib;
    areas[number].end = areas[number].begin + 2 * page;
    content.push_back(pages(areas[number].begin, 2));
  }
  const auto memory = mapped(areas, content);
  EXPECT_EQ(memory.areas, areas);
  EXPECT_EQ(memory.pages, content);
  EXPECT_EQ(memory.size, 0);
  ASSERT_EQ(memory.left.size(), content.size());
  EXPECT_EQ(memory.left[1], (PageMove{0, 2 * page, 2 * page, 2 * page}));
}

TEST(MappedMemory, PacksWhatIsLeft) {
  CriuArea stack = anonymous(base + mib, 4 * page);
  stack.flags |= MAP_GROWSDOWN;
  const auto memory =
      mapped({anonymous(base, 4 * page), stack}, {pages(base, 2), pages(base + mib + page, 1)});
  EXPECT_EQ(memory.left, (std::vector<PageMove>{{0, 2 * page, 0, page}}));
  EXPECT_EQ(memory.moved, (std::vector<PageMove>{{0, 0, 0, 2 * page}}));
}

TEST(MappedMemory, DividesPagesBetweenNeighbours) {
  CriuArea second = anonymous(base + 2 * page, 2 * page);
  second.protection = PROT_READ;
  const auto memory = mapped({anonymous(base, 2 * page), second}, {pages(base + page, 2)});
  ASSERT_EQ(memory.areas.size(), 2);
  EXPECT_EQ(memory.moved, (std::vector<PageMove>{{0, 0, page, page}, {0, page, 3 * page, page}}));
}

TEST(MappedMemory, TakesAnAreaWithGuardPagesAsItIs) {
  CriuArea guard = anonymous(base + page, page);
  guard.kind = criu_area::guard;
  const std::vector<CriuArea> areas{anonymous(base, 4 * page), guard, anonymous(base + mib, page)};
  const auto memory = mapped(areas, {pages(base + 2 * page, 1), pages(base + mib, 1)});
  EXPECT_EQ(memory.areas[0], areas[0]);
  EXPECT_EQ(memory.areas[1], guard);
  EXPECT_EQ(memory.areas[2].file, own);
  EXPECT_EQ(memory.pages, std::vector{pages(base + 2 * page, 1)});
}

TEST(MappedMemory, FillsAreasOfAnEarlierFileFromIt) {
  const PageFiles files{.own = own, .earlier = {{earlier, 1}}};
  const auto memory =
      mapped({of_file(base, 4 * page, earlier, 20 * page)}, {pages(base + page, 1)}, files);
  ASSERT_EQ(memory.areas.size(), 1);
  EXPECT_EQ(memory.areas[0].offset, 0);
  EXPECT_EQ(memory.moved,
            (std::vector<PageMove>{
                {1, 20 * page, 0, page}, {0, 0, page, page}, {1, 22 * page, 2 * page, 2 * page}}));
  EXPECT_EQ(memory.areas[0].file, own);
}

TEST(MappedMemory, GoesOnToUseAnEarlierFileWhereNothingChanged) {
  const std::vector<CriuArea> areas{of_file(base, 4 * page, earlier, 0)};
  PageFiles files{.own = own, .earlier = {{earlier, 1}}};
  EXPECT_EQ(mapped(areas, {}, files).areas, areas);
  files.replaces_earlier = true;
  const auto memory = mapped(areas, {}, files);
  EXPECT_EQ(memory.areas.at(0).file, own);
  EXPECT_EQ(memory.moved, (std::vector<PageMove>{{1, 0, 0, 4 * page}}));
}

TEST(MappedMemory, LeavesTheFirstPageOfALargeBlockApart) {
  const auto memory = mapped({anonymous(base, 8 * page)}, {pages(base, 8)},
                             {.own = own, .blocks = {base + 4 * page}});
  ASSERT_EQ(memory.areas.size(), 3);
  EXPECT_EQ(memory.areas[0].end, base + 4 * page);
  EXPECT_EQ(memory.areas[1], anonymous(base + 4 * page, page));
  EXPECT_EQ(memory.areas[2].file, own);
  EXPECT_EQ(memory.pages, std::vector{pages(base + 4 * page, 1)});
  EXPECT_EQ(memory.left, (std::vector<PageMove>{{0, 4 * page, 0, page}}));
}

// Or the kernel would make one of them.
TEST(MappedMemory, KeepsMappingsApartInTheFile) {
  const auto memory =
      mapped({anonymous(base, 2 * page), anonymous(base + 2 * page, 2 * page)}, {pages(base, 4)});
  ASSERT_EQ(memory.areas.size(), 2);
  EXPECT_EQ(memory.areas[1].offset, 3 * page);
}

TEST(MappedMemory, RefusesWhatContradictsItself) {
  const std::vector<CriuArea> one{anonymous(base, 2 * page)};
  EXPECT_FALSE(map_memory(one, {pages(base - page, 1)}, {.own = own}));
  EXPECT_FALSE(map_memory(one, {pages(base + page, 2)}, {.own = own}));
  EXPECT_FALSE(map_memory(one, {pages(base + page, 1), pages(base, 1)}, {.own = own}));
  EXPECT_FALSE(map_memory({one[0], one[0]}, {}, {.own = own}));
  std::vector<CriuArea> many;
  std::vector<CriuPages> content;
  for (std::uint64_t number = 0; number < 20'000; ++number) {
    many.push_back(anonymous(base + number * mib, page));
    content.push_back(pages(base + number * mib, 1));
  }
  EXPECT_FALSE(map_memory(many, content, {.own = own}));
}

}  // namespace
}  // namespace sock::checkpoint
