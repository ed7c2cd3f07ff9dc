// Reading what the kernel writes of a process's memory.

#include "checkpoint/memory_areas.hpp"

#include <sys/mman.h>

#include <gtest/gtest.h>

namespace sock::checkpoint {
namespace {

TEST(MemoryAreas, AreReadWithTheirFlags) {
  const auto areas = parse_smaps(
      "55d0c0000000-55d0c0002000 r-xp 00001000 fd:01 1234   /usr/bin/a program\n"
      "Size:                  8 kB\nProtectionKey:         0\nVmFlags: rd ex mr mw me sd \n"
      "7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0      [stack]\n"
      "VmFlags: rd wr gd ac \n"
      "7ffd00000000-7ffd00001000 ---s 00000000 00:05 7\n");
  ASSERT_TRUE(areas.has_value()) << areas.error().message();
  ASSERT_EQ(areas->size(), 3);
  const MemoryArea& program = areas->at(0);
  EXPECT_EQ(program.begin, 0x55d0c0000000);
  EXPECT_EQ(program.size(), 0x2000);
  EXPECT_EQ(program.protection, PROT_READ | PROT_EXEC);
  EXPECT_EQ(program.offset, 0x1000);
  EXPECT_EQ(program.file, "fd:01 1234");
  EXPECT_EQ(program.name, "/usr/bin/a program");
  EXPECT_FALSE(program.is_shared);
  EXPECT_TRUE(program.has("sd"));
  EXPECT_FALSE(program.has("gd"));
  EXPECT_TRUE(areas->at(1).has("gd"));
  EXPECT_EQ(areas->at(1).name, "[stack]");
  EXPECT_TRUE(areas->at(1).file.empty());
  EXPECT_TRUE(areas->at(2).is_shared);
  EXPECT_EQ(areas->at(2).protection, 0);
  EXPECT_TRUE(areas->at(2).name.empty());
}

TEST(MemoryAreas, AreNothingElse) {
  for (const char* const text :
       {"nonsense\n", "1000-1000 r--p 0 00:00 0\n", "2000-1000 r--p 0 00:00 0\n",
        "1000-2000 r--p\n", "1000-2000 r-p 0 00:00 0\n", "x-2000 r--p 0 00:00 0\n",
        "1000-20000000000000000 r--p 0 00:00 0\n"})
    EXPECT_FALSE(parse_smaps(text).has_value()) << text;
  EXPECT_TRUE(parse_smaps("")->empty());
  EXPECT_TRUE(parse_smaps("VmFlags: rd\n")->empty());
}

TEST(MemoryAreas, AreWholePagesOneAfterTheOther) {
  const std::string good = "400000-401000 r--p 00000000 00:00 0\n";
  EXPECT_TRUE(parse_smaps(good + "401000-402000 r--p 00000000 00:00 0\n").has_value());
  for (const char* const bad : {"400500-402000", "401000-401500", "402000-401000", "400000-402000"})
    EXPECT_FALSE(parse_smaps(good + bad + " r--p 00000000 00:00 0\n").has_value()) << bad;
}

}  // namespace
}  // namespace sock::checkpoint
