// What smaps_rollup says.

#include "sys/process_memory.hpp"

#include <gtest/gtest.h>

namespace sock::sys {
namespace {

TEST(ProcessMemory, IsReadFromSmapsRollup) {
  const auto memory = parse_smaps_rollup(
      "55d0-7ffe ---p 00000000 00:00 0 [rollup]\nRss:    9000 kB\nPss:    4000 kB\n"
      "Pss_Anon: 7 kB\nPrivate_Clean:   100 kB\nPrivate_Dirty:  200 kB\nAnonymous:  50 kB\n"
      "LazyFree:  8 kB\n");
  EXPECT_EQ(memory, (ProcessMemory{.rss = 9000U << 10U,
                                   .pss = 4000U << 10U,
                                   .private_memory = 300U << 10U,
                                   .anonymous = 50U << 10U}));
}

TEST(ProcessMemory, IsNothingWhereTheTextSaysNothing) {
  EXPECT_EQ(parse_smaps_rollup(""), ProcessMemory{});
  EXPECT_EQ(parse_smaps_rollup("Rss: 12 kB"), ProcessMemory{});  // Not at the start of a line.
  EXPECT_EQ(parse_smaps_rollup("\nRss:"), ProcessMemory{});
}

}  // namespace
}  // namespace sock::sys
