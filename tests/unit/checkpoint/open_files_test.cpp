// What of a process can be in a snapshot.

#include "checkpoint/open_files.hpp"

#include <sys/sysmacros.h>

#include <gtest/gtest.h>

#include "checkpoint/deleted_files.hpp"
#include "checkpoint/machine.hpp"

namespace sock::checkpoint {
namespace {

OpenFile file(const std::string& link, std::uint64_t node = 0) {
  return {.pid = 1, .number = 3, .link = link, .device = 9, .inode = 0xabc, .node = node};
}

TEST(OpenFiles, NamesWhatCannotBeKept) {
  EXPECT_EQ(why_not(file("anon_inode:[io_uring]")), "an io_uring");
  EXPECT_EQ(why_not(file("anon_inode:[userfaultfd]")), "a userfaultfd");
  EXPECT_EQ(why_not(file("anon_inode:bpf-map")), "a BPF object");
  EXPECT_EQ(why_not(file("/dev/pts/0", ::gnu_dev_makedev(136, 0))), "a device");
}

TEST(OpenFiles, LetsOrdinaryOnesPass) {
  for (const char* const link : {"/etc/passwd", "pipe:[7]", "socket:[8]", "anon_inode:[eventpoll]",
                                 "anon_inode:[timerfd]", "/memfd:x (deleted)"})
    EXPECT_EQ(why_not(file(link)), std::nullopt) << link;
  EXPECT_EQ(why_not(file("/dev/null", ::gnu_dev_makedev(1, 3))), std::nullopt);
}

TEST(DeletedFiles, AreThoseWithAPath) {
  EXPECT_EQ(deleted_path("/tmp/x y (deleted)"), "/tmp/x y");
  for (const char* const link : {"/tmp/x", "/memfd:x (deleted)", "/SYSV0 (deleted)",
                                 "/dev/zero (deleted)", "pipe:[1]", "", " (deleted)"})
    EXPECT_EQ(deleted_path(link), "") << link;
}

TEST(Machine, HasTheFeaturesOfItsFirstProcessor) {
  EXPECT_EQ(parse_cpu_features("processor\t: 0\nflags\t\t: sse avx fpu\n\nflags\t\t: other\n"),
            (std::vector<std::string>{"avx", "fpu", "sse"}));
  EXPECT_EQ(parse_cpu_features("Features\t: fp asimd\n"),
            (std::vector<std::string>{"asimd", "fp"}));
  for (const char* const text : {"", "flags", "flags\t:", "\n\n", "model : 1"})
    EXPECT_TRUE(parse_cpu_features(text).empty()) << text;
}

TEST(Machine, MustHaveWhatTheOtherHad) {
  const Machine old{.kernel = "6.1", .architecture = "x86_64", .cpu_features = {"avx", "fpu"}};
  const Machine newer{
      .kernel = "6.18", .architecture = "x86_64", .cpu_features = {"avx", "avx512", "fpu"}};
  EXPECT_TRUE(require_compatible(old, newer).has_value());
  const auto lacking = require_compatible(newer, old);
  ASSERT_FALSE(lacking.has_value());
  EXPECT_EQ(lacking.error().subject, "processor feature avx512");
  const Machine arm{.kernel = "6.18", .architecture = "aarch64"};
  EXPECT_EQ(require_compatible(old, arm).error().code, Errc::unsupported);
}

}  // namespace
}  // namespace sock::checkpoint
