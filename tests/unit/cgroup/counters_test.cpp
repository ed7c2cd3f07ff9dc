// Parsing and arithmetic of counters.

#include "isolation/cgroup/counters.hpp"

#include <gtest/gtest.h>

#include "isolation/cgroup/flat_keyed.hpp"

namespace sock::isolation {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

TEST(CgroupCounters, FindsAKeyAndNotOneThatOnlyStartsAlike) {
  EXPECT_EQ(find_value("oom 1\noom_kill 2\noom_group_kill 3\n", "oom_kill"), 2U);
  EXPECT_EQ(find_value("oom_kill_disable 1\n", "oom_kill"), std::nullopt);
  EXPECT_EQ(find_value("", "oom_kill"), std::nullopt);
  EXPECT_EQ(find_value("frozen x\n", "frozen"), std::nullopt);
}

TEST(CgroupCounters, NumbersAreWholeFiles) {
  EXPECT_EQ(parse_number("18446744073709551615\n"), ~0ULL);
  EXPECT_EQ(parse_number("18446744073709551616\n"), std::nullopt);
  EXPECT_EQ(parse_number("max\n"), std::nullopt);
  EXPECT_EQ(parse_number(""), std::nullopt);
}

TEST(CgroupCounters, ReadsCpuStatOfEitherVersion) {
  const Stats v2 = parse_cpu_stat_v2("usage_usec 30\nuser_usec 20\nsystem_usec 10\n");
  EXPECT_EQ(v2.cpu_total, microseconds{30});
  EXPECT_EQ(v2.cpu_user, microseconds{20});
  EXPECT_EQ(v2.cpu_system, microseconds{10});
  EXPECT_EQ(v2.cpu_throttled, std::nullopt) << "without the controller";
  const Stats v1 = parse_cpu_stat_v1("nr_periods 1\nnr_throttled 1\nthrottled_time 77\n");
  EXPECT_EQ(v1.cpu_throttled, nanoseconds{77});
}

TEST(CgroupCounters, SubtractsWhatEarlierUsersHad) {
  const Stats before{.oom_kills = 2, .cpu_total = nanoseconds{10}, .cpu_user = nanoseconds{9}};
  const Stats now{.memory_current = 4096,
                  .oom_kills = 3,
                  .cpu_total = nanoseconds{15},
                  .cpu_user = nanoseconds{8}};
  const Stats own = since(now, before);
  EXPECT_EQ(own.memory_current, 4096U);
  EXPECT_EQ(own.oom_kills, 1U);
  EXPECT_EQ(own.cpu_total, nanoseconds{5});
  EXPECT_EQ(own.cpu_user, nanoseconds{0}) << "scaled times may step back";
}

}  // namespace
}  // namespace sock::isolation
