// What is told of a snapshot: processes, descriptors, memory.

#include <sys/mman.h>

#include <gtest/gtest.h>

#include "checkpoint/criu_processes.hpp"
#include "checkpoint/image_plan.hpp"
#include "checkpoint/told_bounds.hpp"
#include "checkpoint/told_mappings.hpp"
#include "criu_bytes.hpp"

namespace sock::checkpoint {
namespace {

using Mapping = SnapshotProcess::Mapping;

TEST(ToldProcesses, AreATree) {
  const auto read = parse_processes(
      image({number(1, 1) + number(2, 0) + number(3, 1) + number(4, 1) + number(5, 1),
             number(1, 7) + number(2, 1) + number(3, 1) + number(4, 1) + number(5, 7) +
                 number(5, 8)}),
      "pstree");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(*read, (std::vector<CriuProcess>{{.pid = 1, .parent = 0, .threads = 1},
                                             {.pid = 7, .parent = 1, .threads = 2}}));
}

TEST(ToldProcesses, HaveNamesAndTables) {
  const std::string task = number(1, 1) + number(2, 0) + text(6, "python3");
  EXPECT_EQ(
      parse_process_name(image({number(1, 1) + text(3, task) + text(4, "ids")}), "core").value(),
      "python3");
  EXPECT_EQ(parse_process_name(image({number(1, 1)}), "core").value(), "");
  EXPECT_EQ(
      parse_descriptor_table(image({number(1, 5) + number(2, 6) + number(3, 7)}), "ids").value(),
      6);
}

TEST(ToldDescriptors, NameTheirFiles) {
  const auto descriptors =
      parse_descriptors(image({number(1, 3) + number(2, 0) + number(3, 2) + number(4, 0),
                               number(1, 9) + number(2, 1) + number(3, 1) + number(4, 255)}),
                        "fdinfo");
  ASSERT_TRUE(descriptors.has_value());
  EXPECT_EQ(*descriptors,
            (std::vector<CriuDescriptor>{{.number = 0, .file = 3}, {.number = 255, .file = 9}}));
  const std::string abstract_name = std::string{'\0'} + "bus";
  const auto files = parse_open_files(
      image({number(1, 1) + number(2, 9) +
                 text(3, number(1, 9) + text(6, "/etc/hosts") + number(9, 1)),
             number(1, 2) + number(2, 3) + text(18, number(1, 3) + number(2, 40)),
             number(1, 5) + number(2, 4) + text(16, text(11, std::string{"/run/x"} + '\0')),
             number(1, 5) + number(2, 5) + text(16, text(11, abstract_name)),
             number(1, 5) + number(2, 6) + text(16, text(11, "")),
             number(1, 18) + number(2, 7) + text(20, text(1, "scratch")),
             number(1, 99) + number(2, 8), number(1, ~0ULL) + number(2, 10)}),
      "files");
  ASSERT_TRUE(files.has_value()) << files.error().message();
  EXPECT_EQ(files->at(9),
            (CriuOpenFile{.kind = "file", .name = "/etc/hosts", .is_external = true}));
  EXPECT_EQ(files->at(3), (CriuOpenFile{.kind = "pipe", .name = "pipe:[40]"}));
  EXPECT_EQ(files->at(4), (CriuOpenFile{.kind = "unix socket", .name = "/run/x"}));
  EXPECT_EQ(files->at(5), (CriuOpenFile{.kind = "unix socket", .name = "@bus"}));
  EXPECT_EQ(files->at(6), (CriuOpenFile{.kind = "unix socket"}));
  EXPECT_EQ(files->at(7), (CriuOpenFile{.kind = "memfd", .name = "scratch"}));
  EXPECT_EQ(files->at(8), (CriuOpenFile{.kind = "unknown"}));
  EXPECT_EQ(files->at(10), (CriuOpenFile{.kind = "unknown"}));
}

TEST(ToldDescriptors, OfANamedPipeHaveItsPath) {
  const std::string file = number(1, 1) + number(2, 9) + text(3, text(6, "/tmp/pipe"));
  const std::string fifo =
      number(1, 3) + number(2, 8) + text(17, number(1, 8) + number(2, 1) + number(3, 9));
  const std::string alone = number(1, 3) + number(2, 7) + text(17, number(1, 7) + number(3, 70));
  const auto files = parse_open_files(image({fifo, alone, file}), "files");
  ASSERT_TRUE(files.has_value()) << files.error().message();
  EXPECT_EQ(files->at(8), (CriuOpenFile{.kind = "fifo", .name = "/tmp/pipe"}));
  EXPECT_EQ(files->at(7), (CriuOpenFile{.kind = "fifo"}));
}

TEST(ToldProcesses, AreRefusedWhenCutOff) {
  const std::string bytes =
      image({number(1, 1) + number(2, 2) + number(3, 3) + number(4, 4) + text(5, "x")});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string part = bytes.substr(0, size);
    EXPECT_FALSE(parse_process_name(part, "x").has_value()) << size;
    EXPECT_FALSE(parse_descriptor_table(part, "x").has_value()) << size;
    // An empty list is one.
    if (size == 2 * sizeof(std::uint32_t)) continue;
    EXPECT_FALSE(parse_processes(part, "x").has_value()) << size;
    EXPECT_FALSE(parse_descriptors(part, "x").has_value()) << size;
  }
}

CriuArea area(std::uint64_t begin, std::uint64_t end, std::uint32_t kind, std::uint64_t file = 0) {
  return {.begin = begin,
          .end = end,
          .offset = 0,
          .file = file,
          .protection = PROT_READ,
          .flags = MAP_PRIVATE,
          .kind = kind | criu_area::regular};
}

TEST(ToldMemory, SaysWhatIsCopiedAndWhatIsMapped) {
  const std::map<std::uint64_t, CriuOpenFile> files{
      {1, {.kind = "file", .name = "/usr/lib/a.so"}},
      {2, {.kind = "file", .name = "/memory-0", .is_external = true}},
      {3, {.kind = "file", .name = "/memory-0"}},  // The container's own, of that name.
  };
  std::vector<CriuArea> areas{
      area(0x1000, 0x4000, criu_area::file_private, 1),
      area(0x4000, 0x6000, criu_area::file_private | criu_area::heap, 2),
      area(0x6000, 0x7000, criu_area::file_private, 3),
      area(0x8000, 0xa000, criu_area::anonymous_private),
      area(0x9000, 0xa000, criu_area::guard),
  };
  areas[0].protection = PROT_READ | PROT_EXEC;
  areas[3].flags |= MAP_GROWSDOWN;
  const std::vector<CriuPages> pages{{.begin = 0x2000, .end = 0x5000, .flags = 4},
                                     {.begin = 0x9000, .end = 0xa000, .flags = 4}};
  ToldBounds bounds;
  const auto told = told_mappings(areas, pages, files, bounds);
  ASSERT_TRUE(told.has_value()) << told.error().message();
  EXPECT_EQ(*told,
            (std::vector<Mapping>{
                {.begin = 0x1000,
                 .end = 0x4000,
                 .protection = PROT_READ | PROT_EXEC,
                 .what = "/usr/lib/a.so",
                 .copied_bytes = 0x2000},
                {.begin = 0x4000,
                 .end = 0x6000,
                 .protection = PROT_READ,
                 .what = "[heap]",
                 .copied_bytes = 0x1000,
                 .mapped_bytes = 0x2000},
                {.begin = 0x6000, .end = 0x7000, .protection = PROT_READ, .what = "/memory-0"},
                {.begin = 0x8000,
                 .end = 0xa000,
                 .protection = PROT_READ,
                 .what = "[stack]",
                 .copied_bytes = 0x1000},
            }));
}

TEST(ToldMemory, IsRefusedInNoOrder) {
  const CriuArea low = area(0x1000, 0x3000, criu_area::anonymous_private);
  const CriuArea high = area(0x3000, 0x4000, criu_area::anonymous_private);
  CriuArea backwards = low;
  std::swap(backwards.begin, backwards.end);
  ToldBounds bounds;
  EXPECT_TRUE(told_mappings({low, high}, {}, {}, bounds).has_value());
  EXPECT_FALSE(told_mappings({high, low}, {}, {}, bounds).has_value());
  EXPECT_FALSE(told_mappings({low, low}, {}, {}, bounds).has_value());
  EXPECT_FALSE(told_mappings({backwards}, {}, {}, bounds).has_value());
  const CriuPages pages{.begin = 0x1000, .end = 0x2000, .flags = 4};
  EXPECT_FALSE(told_mappings({low, high}, {pages, pages}, {}, bounds).has_value());
}

TEST(ToldMemory, OfAZygoteIsItsPlan) {
  using namespace wire::image;
  ImagePlan plan;
  plan.specials = {{.begin = 0x1000, .size = 0x1000}, {.begin = 0x2000, .size = 0x1000}};
  plan.files = {{.path = "/usr/bin/python3", .size = 9, .mtime_s = 0, .mtime_ns = 0},
                {.path = "/lib/libc.so.6", .size = 9, .mtime_s = 0, .mtime_ns = 0}};
  plan.mappings = {
      {.begin = 0x9000,
       .size = 0x1000,
       .offset = 0,
       .file = 1,
       .protection = PROT_READ,
       .flags = is_shared},
      {.begin = 0x5000,
       .size = 0x2000,
       .offset = 0,
       .file = pages,
       .protection = PROT_READ,
       .flags = 0},
      {.begin = 0x7000,
       .size = 0x1000,
       .offset = 0,
       .file = pages,
       .protection = PROT_READ,
       .flags = is_copied},
      {.begin = 0x8000,
       .size = 0x1000,
       .offset = 0,
       .file = no_file,
       .protection = PROT_NONE,
       .flags = grows_down},
  };
  const std::string bytes = plan.to_bytes({});
  ToldBounds bounds;
  const auto told = told_mappings(bytes, bounds);
  ASSERT_TRUE(told.has_value()) << told.error().message();
  EXPECT_EQ(*told,
            (std::vector<Mapping>{
                {.begin = 0x1000, .end = 0x2000, .protection = PROT_READ, .what = "[vvar]"},
                {.begin = 0x2000, .end = 0x3000, .protection = PROT_READ, .what = "[vdso]"},
                {.begin = 0x5000, .end = 0x7000, .protection = PROT_READ, .mapped_bytes = 0x2000},
                {.begin = 0x7000, .end = 0x8000, .protection = PROT_READ, .copied_bytes = 0x1000},
                {.begin = 0x8000, .end = 0x9000, .protection = PROT_NONE, .what = "[stack]"},
                {.begin = 0x9000,
                 .end = 0xa000,
                 .protection = PROT_READ,
                 .is_shared = true,
                 .what = "/lib/libc.so.6"},
            }));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(told_mappings(bytes.substr(0, size), bounds).has_value()) << size;
  EXPECT_FALSE(told_mappings("x" + bytes, bounds).has_value());
  EXPECT_FALSE(told_mappings(bytes + '\0', bounds).has_value());
}

}  // namespace
}  // namespace sock::checkpoint
