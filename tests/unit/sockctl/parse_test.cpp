// Values of options, good and bad.

#include "sockctl/parse.hpp"

#include <csignal>

#include <gtest/gtest.h>

namespace sockctl {
namespace {

using std::chrono::milliseconds;

TEST(ParseSize, KnowsBinarySuffixes) {
  EXPECT_EQ(parse_size("--memory", "4096").value(), 4096U);
  EXPECT_EQ(parse_size("--memory", "64m").value(), 64ULL << 20U);
  EXPECT_EQ(parse_size("--memory", "1G").value(), 1ULL << 30U);
  EXPECT_EQ(parse_size("--memory", "2KiB").value(), 2048U);
}

TEST(ParseSize, RefusesWhatIsNoSizeOrTooLarge) {
  for (const auto* text : {"", "m", "-1", "64q", "1.5m", " 1", "1m ", "99999999999g",
                           "9223372036854775808", "0x10", "1e3", "64mm"})
    EXPECT_FALSE(parse_size("--memory", text).has_value()) << text;
}

TEST(ParseSize, NamesTheOptionAndGivesAnExample) {
  const auto error = parse_size("--memory", "64q").error();
  EXPECT_EQ(error.subject, "--memory '64q'");
  EXPECT_EQ(error.stage, Stage::validate);
  EXPECT_FALSE(error.hint.empty());
}

TEST(ParseDuration, KnowsUnitsAndRoundsUp) {
  EXPECT_EQ(parse_duration("--wall", "1.5s").value(), milliseconds{1500});
  EXPECT_EQ(parse_duration("--wall", "2").value(), milliseconds{2000});
  EXPECT_EQ(parse_duration("--wall", "200ms").value(), milliseconds{200});
  EXPECT_EQ(parse_duration("--wall", "0.2ms").value(), milliseconds{1});
  EXPECT_EQ(parse_duration("--wall", "2m").value(), milliseconds{120000});
}

TEST(ParseDuration, RefusesNothingNegativeAndForever) {
  for (const auto* text :
       {"", "0", "-1s", "inf", "nan", "1e9", "5d", "s", "1.2.3s", "99999999999h"})
    EXPECT_FALSE(parse_duration("--wall", text).has_value()) << text;
}

TEST(ParseUser, TakesNumbersOnly) {
  EXPECT_EQ(parse_user("1000").value(), (User{1000, 1000}));
  EXPECT_EQ(parse_user("0:5").value(), (User{0, 5}));
  for (const auto* text :
       {"", "-1", "4294967295", " 0", "1000:", ":1", "root", "1:2:3", "0x0", "1 ", "99999999999"})
    EXPECT_FALSE(parse_user(text).has_value()) << text;
}

TEST(ParseBind, DefaultsToReadOnly) {
  EXPECT_EQ(parse_bind("/a:/b", "/here").value(), (sock::Bind{"/a", "/b"}));
  EXPECT_EQ(parse_bind("a:/b:rw", "/here").value(),
            (sock::Bind{"/here/a", "/b", sock::Access::read_write}));
  for (const auto* text : {"", "/a", ":/b", "/a:", "/a:b", "/a:/b:rx", "/a:/b:ro:rw"})
    EXPECT_FALSE(parse_bind(text, "/here").has_value()) << text;
}

TEST(ParseTmpfs, TakesSizeModeAndInodes) {
  const auto tmpfs = parse_tmpfs("/x:size=1m,mode=700,inodes=9").value();
  EXPECT_EQ(tmpfs.size_max, 1ULL << 20U);
  EXPECT_EQ(tmpfs.mode, 0700U);
  EXPECT_EQ(tmpfs.inodes_max, 9U);
  for (const auto* text : {"", "x", "/x:size=", "/x:mode=9", "/x:exec", "/x:inodes=0"})
    EXPECT_FALSE(parse_tmpfs(text).has_value()) << text;
}

TEST(ParseNetwork, TakesKindsDescriptorsAndPaths) {
  using Kind = sock::Network::Kind;
  EXPECT_EQ(parse_network("loopback").value(), NetworkChoice{Kind::loopback});
  EXPECT_EQ(parse_network("7").value(), (NetworkChoice{Kind::join, 7}));
  EXPECT_EQ(parse_network("/run/netns/a").value(), (NetworkChoice{Kind::join, -1, "/run/netns/a"}));
  for (const auto* text : {"", "2", "-1", "none", "run/netns/a", "7x"})
    EXPECT_FALSE(parse_network(text).has_value()) << text;
}

TEST(ParseIdRange, TakesThreeNumbers) {
  EXPECT_EQ(parse_id_range("0:100000:65536").value(), (sock::IdRange{0, 100000, 65536}));
  for (const auto* text : {"", "0", "0:1", "0:1:0", "0:1:2:3", "a:1:2", "0:-1:2"})
    EXPECT_FALSE(parse_id_range(text).has_value()) << text;
}

TEST(ParseSignal, TakesNamesAndNumbers) {
  EXPECT_EQ(parse_signal("term").value(), SIGTERM);
  EXPECT_EQ(parse_signal("SIGUSR1").value(), SIGUSR1);
  EXPECT_EQ(parse_signal("9").value(), SIGKILL);
  for (const auto* text : {"", "0", "65", "-9", "NOPE", "SIG"})
    EXPECT_FALSE(parse_signal(text).has_value()) << text;
}

TEST(ParseCpus, IsAShareOfThePeriod) {
  EXPECT_EQ(parse_cpus("0.5").value(), std::chrono::microseconds{50'000});
  for (const auto* text : {"", "0", "-1", "0.001", "x"}) EXPECT_FALSE(parse_cpus(text).has_value());
}

TEST(ParsePids, KnowsMax) {
  EXPECT_EQ(parse_pids("16").value(), 16U);
  EXPECT_FALSE(parse_pids("max").value().has_value());
  for (const auto* text : {"", "0", "-1", "many"})
    EXPECT_FALSE(parse_pids(text).has_value()) << text;
}

TEST(ParseCapability, GivesTheKernelsName) {
  EXPECT_EQ(parse_capability("NET_RAW").value(), "cap_net_raw");
  EXPECT_EQ(parse_capability("cap_net_raw").value(), "cap_net_raw");
  for (const auto* text : {"", "cap_", "net raw", "../x"})
    EXPECT_FALSE(parse_capability(text).has_value()) << text;
}

TEST(CheckName, RefusesWhatCouldBeAPath) {
  EXPECT_TRUE(check_name("web-1.a_B").has_value());
  const std::string long_name(65, 'a');
  for (const std::string& text : {std::string{}, std::string{"."}, std::string{"../x"},
                                  std::string{"a/b"}, std::string{"-a"}, long_name})
    EXPECT_FALSE(check_name(text).has_value()) << text;
}

}  // namespace
}  // namespace sockctl
