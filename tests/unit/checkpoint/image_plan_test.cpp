// What of a process's memory is mapped from where.

#include "checkpoint/image_plan.hpp"

#include <array>
#include <cstring>

#include <sys/mman.h>

#include <gtest/gtest.h>

#include "checkpoint/large_blocks.hpp"

namespace sock::checkpoint {
namespace {

namespace image = wire::image;
using image::Mapping;

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t mib = 1U << 20U;
constexpr std::uint64_t base = 0x5000'0000'0000;

MemoryArea area(std::uint64_t begin, std::uint64_t size, int protection = PROT_READ | PROT_WRITE) {
  return {.begin = begin,
          .end = begin + size,
          .protection = protection,
          .is_shared = false,
          .offset = 0,
          .file = {},
          .name = {},
          .flags = {}};
}

MemoryArea of_file(MemoryArea plain, const std::string& file, std::uint64_t offset = 0) {
  plain.file = file;
  plain.name = "/lib/" + file;
  plain.offset = offset;
  return plain;
}

WrittenArea vdso() {
  auto code = area(0x7fff'0000'0000, page, PROT_READ | PROT_EXEC);
  code.name = "[vdso]";
  return {.area = code, .written = {}};
}

ImagePlan planned(std::vector<WrittenArea> areas, const MappedFiles& files = {},
                  const std::vector<std::uint64_t>& blocks = {}) {
  areas.push_back(vdso());
  auto plan = plan_image(areas, files, blocks);
  if (!plan.has_value()) throw std::runtime_error{plan.error().message()};
  return std::move(*plan);
}

std::string refusal(const WrittenArea& written) {
  const auto plan = plan_image({written, vdso()}, {}, {});
  return plan.has_value() ? "" : plan.error().hint;
}

const MappedFiles one_file{
    {"fd:01 7", {.path = "/lib/seven.so", .size = 8 * page, .mtime_s = 5, .mtime_ns = 6}}};

TEST(ImagePlan, TakesAFileAgainWhereNothingWasWritten) {
  const auto plan =
      planned({{.area = of_file(area(base, 2 * page, PROT_READ), "fd:01 7", page), .written = {}}},
              one_file);
  ASSERT_EQ(plan.mappings.size(), 1);
  EXPECT_EQ(plan.mappings[0].file, 0);
  EXPECT_EQ(plan.mappings[0].offset, page);
  EXPECT_EQ(plan.mappings[0].protection, PROT_READ);
  EXPECT_EQ(plan.files.at(0).path, "/lib/seven.so");
  EXPECT_TRUE(plan.copies.empty());
}

TEST(ImagePlan, CopiesASmallAreaOfAFileWhole) {
  const auto plan = planned({{.area = of_file(area(base, 4 * page), "fd:01 7"),
                              .written = {{.begin = base + page, .end = base + 2 * page}}}},
                            one_file);
  ASSERT_EQ(plan.mappings.size(), 1);
  EXPECT_EQ(plan.mappings[0].file, image::pages);
  ASSERT_EQ(plan.copies.size(), 1);
  EXPECT_EQ(plan.copies[0].size, 4 * page);
  EXPECT_EQ(plan.pages_size, 4 * page);
  EXPECT_TRUE(plan.files.empty());
}

TEST(ImagePlan, CopiesOfAnonymousMemoryWhatWasWritten) {
  const auto plan = planned({{.area = area(base, 4 * page),
                              .written = {{.begin = base + page, .end = base + 2 * page}}}});
  ASSERT_EQ(plan.mappings.size(), 1);
  ASSERT_EQ(plan.copies.size(), 1);
  EXPECT_EQ(plan.copies[0].begin, base + page);
  EXPECT_EQ(plan.copies[0].size, page);
  EXPECT_EQ(plan.copies[0].offset, page);
}

TEST(ImagePlan, LeavesLargeHolesOut) {
  const std::uint64_t size = std::uint64_t{1} << 40U;
  const auto plan =
      planned({{.area = area(base, size),
                .written = {{.begin = base + mib, .end = base + mib + page},
                            {.begin = base + mib + 3 * page, .end = base + mib + 4 * page},
                            {.begin = base + size - page, .end = base + size}}}});
  EXPECT_EQ(plan.pages_size, 5 * page);
  ASSERT_EQ(plan.mappings.size(), 4);
  std::uint64_t whole = 0;
  for (const Mapping& mapping : plan.mappings) whole += mapping.size;
  EXPECT_EQ(whole, size);
  EXPECT_EQ(plan.mappings[0].file, image::pages);  // Sorted by file: anonymous memory last.
  EXPECT_EQ(plan.mappings[3].file, image::no_file);
}

TEST(ImagePlan, MakesOneMappingOfNeighbours) {
  const auto written = [](std::uint64_t begin) {
    return WrittenArea{.area = area(begin, page),
                       .written = {{.begin = begin, .end = begin + page}}};
  };
  EXPECT_EQ(planned({written(base), written(base + page)}).mappings.size(), 1);
  EXPECT_EQ(planned({written(base), written(base + 2 * page)}).mappings.size(), 2);
  auto other = written(base + page);
  other.area.protection = PROT_READ;
  EXPECT_EQ(planned({written(base), other}).mappings.size(), 2);
}

TEST(ImagePlan, ReadsAStackIntoMemoryThatGrows) {
  auto stack = area(base, 33 * page);
  stack.flags = {"rd", "wr", "gd"};
  const std::uint64_t top = base + 33 * page;
  const auto plan = planned({{.area = stack, .written = {{.begin = top - 3 * page, .end = top}}}});
  ASSERT_EQ(plan.mappings.size(), 1);
  EXPECT_EQ(plan.mappings[0].begin, top - 3 * page);
  EXPECT_EQ(plan.mappings[0].flags, image::grows_down | image::is_copied);
}

TEST(ImagePlan, NeverCopiesWhatIsWipedAtAFork) {
  auto wiped = area(base, page);
  wiped.flags = {"wf"};
  const auto plan = planned({{.area = wiped, .written = {{.begin = base, .end = base + page}}}});
  EXPECT_EQ(plan.mappings.at(0).file, image::no_file);
  EXPECT_EQ(plan.mappings.at(0).flags, image::wipe_on_fork);
  EXPECT_TRUE(plan.copies.empty());
}

TEST(ImagePlan, CopiesAFileThatHasNoNameAnyMore) {
  const auto plan = planned({{.area = of_file(area(base, 2 * page), "00:05 9"), .written = {}}});
  ASSERT_EQ(plan.copies.size(), 1);
  EXPECT_EQ(plan.copies[0].size, 2 * page);
  EXPECT_NE(refusal({.area = of_file(area(base, 1024 * mib), "00:05 9"), .written = {}}), "");
}

TEST(ImagePlan, RefusesWhatNoCopyCanBe) {
  auto shared = area(base, page);
  shared.is_shared = true;
  shared.flags = {"sh", "mw"};
  EXPECT_NE(refusal({.area = shared, .written = {}}), "");
  for (const char* const flag : {"ht", "io", "pf"}) {
    auto strange = area(base, page);
    strange.flags = {flag};
    EXPECT_NE(refusal({.area = strange, .written = {}}), "") << flag;
  }
  EXPECT_NE(refusal({.area = area(image::restorer_begin - page, 2 * page), .written = {}}), "");
  EXPECT_NE(refusal({.area = area(image::restorer_begin + image::restorer_size - page, 2 * page),
                     .written = {}}),
            "");
  EXPECT_FALSE(plan_image({}, {}).has_value());  // No vdso.
}

TEST(ImagePlan, HasABound) {
  const auto hint_of = [](std::vector<WrittenArea> areas) {
    areas.push_back(vdso());
    const auto plan = plan_image(areas, {});
    return plan.has_value() ? "" : plan.error().hint;
  };
  const auto gone = [](std::uint64_t number) {
    return WrittenArea{.area = of_file(area(base + number * 128 * mib, 60 * mib), "00:05 9"),
                       .written = {}};
  };
  EXPECT_EQ(hint_of({gone(0), gone(1), gone(2), gone(3)}), "");
  EXPECT_NE(hint_of({gone(0), gone(1), gone(2), gone(3), gone(4)}), "");
  const std::uint64_t whole = std::uint64_t{17} << 30U;
  EXPECT_NE(
      hint_of({{.area = area(base, whole), .written = {{.begin = base, .end = base + whole}}}})
          .find("16 GiB"),
      std::string::npos);
  // As many runs as there are pages: each is looked at once.
  WrittenArea scattered{.area = area(base, std::uint64_t{1} << 40U), .written = {}};
  for (std::uint64_t number = 0; number < 1'000'000; ++number)
    scattered.written.push_back({.begin = base + number * mib, .end = base + number * mib + page});
  EXPECT_NE(hint_of({scattered}).find("too many"), std::string::npos);
}

TEST(ImagePlan, HasNoLongerPathsThanTheRestorerTakes) {
  const auto hint_of = [](std::uint64_t count) {
    std::vector<WrittenArea> areas{vdso()};
    MappedFiles files;
    for (std::uint64_t number = 0; number < count; ++number) {
      const std::string key = "fd:01 " + std::to_string(number);
      files[key] = {.path = std::string(4095, 'x'), .size = page, .mtime_s = 5, .mtime_ns = 6};
      areas.push_back(
          {.area = of_file(area(base + 2 * number * page, page, PROT_READ), key), .written = {}});
    }
    const auto plan = plan_image(areas, files);
    return plan.has_value() ? "" : plan.error().hint;
  };
  EXPECT_EQ(hint_of(255), "");
  EXPECT_NE(hint_of(256).find("paths"), std::string::npos);  // 1 MiB, and the NUL at their end.
}

TEST(ImagePlan, WantsTheKernelsMappingsInARow) {
  auto data = area(0x7fff'0000'0000 - 4 * page, 4 * page, PROT_READ);
  data.name = "[vvar]";
  EXPECT_EQ(planned({{.area = data, .written = {}}}).specials.size(), 2);
  data.begin -= page;
  data.end -= page;
  EXPECT_FALSE(plan_image({{.area = data, .written = {}}, vdso()}, {}).has_value());
}

TEST(ImagePlan, IsWrittenAsItsFormatSays) {
  const auto plan =
      planned({{.area = of_file(area(base, page, PROT_READ), "fd:01 7"), .written = {}}}, one_file);
  const auto bytes = plan.to_bytes({.entry = 1, .stack = 2, .thread_pointer = 3});
  image::Header header{};
  ASSERT_GE(bytes.size(), sizeof header);
  std::memcpy(&header, bytes.data(), sizeof header);
  EXPECT_EQ(header.magic, image::magic);
  EXPECT_EQ(header.resumption.stack, 2);
  EXPECT_EQ(bytes.size(), sizeof header + header.special_count * sizeof(image::Special) +
                              header.file_count * sizeof(image::File) +
                              header.mapping_count * sizeof(Mapping) + header.path_bytes);
  EXPECT_EQ(bytes.back(), '\0');
  EXPECT_TRUE(bytes.contains(std::string_view{"/lib/seven.so\0", 14}));
}

TEST(ImagePlan, MapsTheFirstPageOfALargeBlockApart) {
  const auto plan = planned({{.area = area(base, 8 * page), .written = {{base, base + 8 * page}}}},
                            {}, {base + 4 * page});
  ASSERT_EQ(plan.mappings.size(), 3);
  EXPECT_EQ(plan.mappings[0].size, 4 * page);
  EXPECT_EQ(plan.mappings[0].flags, 0);
  EXPECT_EQ(plan.mappings[1].begin, base + 4 * page);
  EXPECT_EQ(plan.mappings[1].size, page);
  EXPECT_EQ(plan.mappings[1].flags, image::is_copied);
  EXPECT_EQ(plan.mappings[2].begin, base + 5 * page);
  EXPECT_EQ(plan.pages_size, 8 * page);
}

TEST(ImagePlan, FindsLargeBlocksByTheirHeads) {
  std::string pages(3 * page, 'x');
  const std::array<std::uint64_t, 2> head{0, 7 * page + 2};
  std::memcpy(pages.data() + page, head.data(), sizeof head);
  const std::array<std::uint64_t, 2> other{0, 7 * page + 1};  // One of the heap.
  std::memcpy(pages.data() + 2 * page, other.data(), sizeof other);
  std::vector<std::uint64_t> blocks;
  find_large_blocks(pages, base, blocks);
  EXPECT_EQ(blocks, std::vector<std::uint64_t>{base + page});
}

}  // namespace
}  // namespace sock::checkpoint
