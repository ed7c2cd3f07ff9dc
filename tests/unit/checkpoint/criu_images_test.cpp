// CRIU's images, read and written.

#include "checkpoint/criu_images.hpp"

#include <gtest/gtest.h>

#include "criu_bytes.hpp"

namespace sock::checkpoint {
namespace {

constexpr unsigned unknown = 200;

std::string area(std::uint64_t begin, std::uint64_t end, const std::string& more = {}) {
  return number(1, begin) + number(2, end) + number(3, 0x3000) + number(4, 5) + number(5, 3) +
         number(6, 2) + number(7, 65) + number(8, 1) + more;
}
std::string memory_image() {
  const std::string first = area(0x1000, 0x9000, number(9, 16) + number(unknown, 77));
  const std::string second = area(0xa000, 0xb000, number(10, 2));
  return image(
      {number(1, 4) + number(12, 9) + text(14, first) + text(14, second) + number(unknown, 1)});
}
std::string pages(std::uint64_t begin, std::uint64_t count, std::uint64_t flags = 4) {
  return number(1, begin) + number(2, 0) + number(4, flags) + number(5, count);
}
std::string file(std::uint64_t id, const std::string& name, bool is_external) {
  const std::string owner =
      number(1, 0) + number(2, 0) + number(3, 0) + number(4, 0) + number(5, 0);
  return number(1, 1) + number(2, id) +
         text(3, number(1, id) + number(2, 0) + number(3, 0) + text(5, owner) + text(6, name) +
                     (is_external ? number(9, 1) : ""));
}
std::string files_image() {
  return image({file(3, "/usr/bin/tool", false), file(8, "file[1:2]", true),
                number(1, 2) + number(2, 6) + text(18, "a pipe")});
}

TEST(CriuImages, ReadAreas) {
  const auto memory = CriuMemory::parse(memory_image(), "mm");
  ASSERT_TRUE(memory.has_value()) << memory.error().message();
  EXPECT_EQ(memory->program(), 9);
  const auto areas = memory->areas();
  ASSERT_EQ(areas.size(), 2);
  EXPECT_EQ(areas[0], (CriuArea{.begin = 0x1000,
                                .end = 0x9000,
                                .offset = 0x3000,
                                .file = 5,
                                .protection = 3,
                                .flags = 2,
                                .kind = criu_area::regular | criu_area::file_private,
                                .advice = 16}));
  EXPECT_EQ(areas[1].open, 2);
}

TEST(CriuImages, KeepWhatTheyDoNotKnow) {
  const auto memory = CriuMemory::parse(memory_image(), "mm");
  ASSERT_TRUE(memory.has_value()) << memory.error().message();
  // protobuf-c writes what it does not know after all else.
  const auto again = CriuMemory::parse(memory->with(memory->areas()), "mm");
  ASSERT_TRUE(again.has_value()) << again.error().message();
  EXPECT_EQ(again->areas(), memory->areas());
  EXPECT_EQ(memory->with(memory->areas()).size(), memory_image().size());
  const auto files = CriuFiles::parse(files_image(), "files");
  ASSERT_TRUE(files.has_value()) << files.error().message();
  EXPECT_EQ(files->to_bytes(), files_image());
}

TEST(CriuImages, DivideAnArea) {
  const auto memory = CriuMemory::parse(memory_image(), "mm");
  ASSERT_TRUE(memory.has_value());
  auto areas = memory->areas();
  areas.insert(areas.begin(), areas[0]);
  areas[0].end = areas[1].begin = 0x4000;
  areas[1].file = 1000;
  areas[1].open = 0;
  const std::string bytes = memory->with(areas);
  const auto again = CriuMemory::parse(bytes, "mm");
  ASSERT_TRUE(again.has_value());
  ASSERT_EQ(again->areas().size(), 3);
  EXPECT_EQ(again->areas()[1].begin, 0x4000);
  EXPECT_EQ(again->areas()[1].file, 1000);
  EXPECT_EQ(again->areas()[1].open, 0);
  EXPECT_FALSE(again->areas()[0].open.has_value());
  // Both halves have the field that nobody knows.
  const std::string field = number(unknown, 77);
  const auto first = bytes.find(field);
  ASSERT_NE(first, std::string::npos);
  EXPECT_NE(bytes.find(field, first + field.size()), std::string::npos);
}

TEST(CriuImages, ReadPages) {
  const std::string bytes = image({number(1, 3), pages(0x5000, 2), pages(0x9000, 1)});
  const auto map = CriuPageMap::parse(bytes, "pagemap");
  ASSERT_TRUE(map.has_value()) << map.error().message();
  EXPECT_EQ(map->file, 3);
  EXPECT_EQ(map->pages, (std::vector<CriuPages>{{0x5000, 0x7000, 4}, {0x9000, 0xa000, 4}}));
  EXPECT_EQ(map->to_bytes(), bytes);
  const auto old = CriuPageMap::parse(
      image({number(1, 3), number(1, 0x5000) + number(2, 2) + number(4, 4)}), "pagemap");
  ASSERT_TRUE(old.has_value());
  EXPECT_EQ(old->pages[0].end, 0x7000);
  EXPECT_EQ(CriuPageMap::parse(old->to_bytes(), "pagemap")->pages, old->pages);
}

TEST(CriuImages, RefusePagesOfAnotherKind) {
  for (const std::uint64_t flags : {0, 1, 2, 5, 12})
    EXPECT_EQ(CriuPageMap::parse(image({number(1, 3), pages(0x5000, 2, flags)}), "x").error().code,
              Errc::unsupported);
  EXPECT_EQ(CriuPageMap::parse(image({number(1, 3), pages(0x5000, 2) + number(unknown, 1)}), "x")
                .error()
                .code,
            Errc::unsupported);
  EXPECT_EQ(CriuPageMap::parse(image({number(1, 3), pages(0x5000, ~0ULL)}), "x").error().code,
            Errc::corrupt);
}

TEST(CriuImages, NameFiles) {
  auto files = CriuFiles::parse(files_image(), "files");
  ASSERT_TRUE(files.has_value());
  EXPECT_EQ(files->name_of(3), "/usr/bin/tool");
  EXPECT_EQ(files->name_of(6), "");
  EXPECT_EQ(files->external("file[1:2]"), 8);
  EXPECT_FALSE(files->external("/usr/bin/tool").has_value());
  EXPECT_EQ(files->free_number(), 9);
  files->add_external(9, "/memory-0");
  files->add_external(12, "/memory-0");
  const auto again = CriuFiles::parse(files->to_bytes(), "files");
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->external("/memory-0"), 9);
  EXPECT_EQ(again->name_of(12), "/memory-0");
  EXPECT_EQ(again->free_number(), 13);
}

TEST(CriuImages, RefuseWhatIsCutOff) {
  for (const auto& bytes : {memory_image(), files_image(), image({number(1, 3), pages(1, 2)})})
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const std::string part = bytes.substr(0, size);
      EXPECT_FALSE(CriuMemory::parse(part, "x").has_value());
      static_cast<void>(CriuFiles::parse(part, "x"));
      static_cast<void>(CriuPageMap::parse(part, "x"));
    }
  EXPECT_FALSE(CriuMemory::parse(image({"\xff\xff"}), "x").has_value());
  EXPECT_FALSE(CriuMemory::parse(image({}), "x").has_value());
}

}  // namespace
}  // namespace sock::checkpoint
