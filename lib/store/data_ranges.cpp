// Data and holes of files.

#include "store/data_ranges.hpp"

#include <algorithm>

#include "base/try.hpp"

namespace sock::store {
namespace {

// Each is a line of about twenty bytes in an archive, and a small piece of memory for its reader.
constexpr std::size_t most_ranges = 100'000;
// Beyond this many they are merged while they are found.
constexpr std::size_t most_in_memory = 4 * most_ranges;

void merge_below(std::vector<sys::DataRange>& ranges, std::uint64_t hole) {
  std::size_t last = 0;
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].begin - ranges[last].end < hole)
      ranges[last].end = ranges[i].end;
    else
      ranges[++last] = ranges[i];
  }
  ranges.resize(last + 1);
}

}  // namespace

std::vector<sys::DataRange> merge_ranges(std::vector<sys::DataRange> ranges, std::size_t most) {
  constexpr std::uint64_t smallest = 8192;
  constexpr std::uint64_t largest = ~std::uint64_t{0};
  for (std::uint64_t hole = smallest; ranges.size() > std::max<std::size_t>(most, 1);
       hole = hole > largest / 2 ? largest : hole * 2)
    merge_below(ranges, hole);
  return ranges;
}

Result<std::vector<sys::DataRange>> data_ranges(FdRef file, std::uint64_t size) {
  std::vector<sys::DataRange> ranges;
  for (std::uint64_t offset = 0; offset < size;) {
    const auto range = SOCK_TRY(sys::next_data(file, offset));
    if (range.begin >= range.end || range.begin >= size) break;
    ranges.push_back({.begin = range.begin, .end = std::min(range.end, size)});
    offset = range.end;
    if (ranges.size() > most_in_memory) ranges = merge_ranges(std::move(ranges), most_ranges);
  }
  return merge_ranges(std::move(ranges), most_ranges);
}

}  // namespace sock::store
