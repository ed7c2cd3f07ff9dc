// Data and holes.

#include "store/data_ranges.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "sys/file.hpp"

namespace sock::store {
namespace {

using Pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

Pairs pairs(const std::vector<sys::DataRange>& ranges) {
  Pairs found;
  for (const auto& [begin, end] : ranges) found.emplace_back(begin, end);
  return found;
}

TEST(DataRanges, AreKeptWhereTheyAreFew) {
  EXPECT_EQ(pairs(merge_ranges({{0, 1}, {5, 6}}, 2)), (Pairs{{0, 1}, {5, 6}}));
  EXPECT_TRUE(merge_ranges({}, 0).empty());
}

TEST(DataRanges, LoseTheirSmallerHolesFirst) {
  constexpr std::uint64_t page = 4096;
  EXPECT_EQ(pairs(merge_ranges({{0, page}, {2 * page, 3 * page}, {100 * page, 101 * page}}, 2)),
            (Pairs{{0, 3 * page}, {100 * page, 101 * page}}));
  EXPECT_EQ(pairs(merge_ranges({{0, 1}, {~std::uint64_t{1}, ~std::uint64_t{0}}}, 1)),
            (Pairs{{0, ~std::uint64_t{0}}}));
}

TEST(DataRanges, AreWhatWasWritten) {
  const auto directory =
      sys::open(sys::cwd, std::filesystem::temp_directory_path(), O_RDONLY | O_DIRECTORY);
  ASSERT_TRUE(directory.has_value());
  const auto file = sys::open(*directory, ".", O_TMPFILE | O_RDWR, 0600);
  ASSERT_TRUE(file.has_value());
  constexpr std::uint64_t size = 1U << 20U;
  ASSERT_TRUE(sys::set_size(*file, size).has_value());
  EXPECT_TRUE(data_ranges(*file, size)->empty());
  ASSERT_TRUE(sys::write_at_offset(*file, std::string(4096, 'x'), 65536).has_value());
  const auto ranges = data_ranges(*file, size);
  ASSERT_TRUE(ranges.has_value());
  std::uint64_t data = 0;
  for (const auto& range : *ranges) data += range.end - range.begin;
  EXPECT_GE(data, 4096U);
  EXPECT_LE(data, size);
  EXPECT_EQ(ranges->size(), 1U);
}

}  // namespace
}  // namespace sock::store
