// From Resources to writes.

#include "isolation/cgroup/limits.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include <gtest/gtest.h>

namespace sock::isolation {
namespace {

using std::chrono::microseconds;
using Writes = std::vector<std::pair<std::string, std::string>>;

constexpr LimitFiles all_v2{
    .memory = CgroupVersion::v2, .cpu = CgroupVersion::v2, .pids = CgroupVersion::v2};
constexpr LimitFiles all_v1{
    .memory = CgroupVersion::v1, .cpu = CgroupVersion::v1, .pids = CgroupVersion::v1};

Writes planned(const Resources& from, const Resources& to, const LimitFiles& files) {
  Writes writes;
  for (const LimitWrite& write : plan_limits(from, to, files))
    writes.emplace_back(write.file, write.value);
  return writes;
}

TEST(CgroupLimits, ADefaultContainerWritesPidsMaxOnly) {
  const Writes expected{{"pids.max", "256"}};
  EXPECT_EQ(planned(no_limits(), {}, all_v2), expected);
  EXPECT_EQ(planned(no_limits(), {}, all_v1), expected);
}

TEST(CgroupLimits, UnchangedLimitsWriteNothing) {
  const Resources limits{.memory_max = 1U << 20U, .cpu_quota = microseconds{5000}, .cpu_weight = 7};
  EXPECT_TRUE(planned(limits, limits, all_v2).empty());
  EXPECT_TRUE(planned(limits, limits, all_v1).empty());
}

TEST(CgroupLimits, WritesAllV2Files) {
  const Resources limits{.memory_max = 8192,
                         .swap_max = 4096,
                         .cpu_quota = microseconds{50'000},
                         .cpu_period = microseconds{200'000},
                         .cpu_weight = 500,
                         .pids_max = 10};
  EXPECT_EQ(planned(no_limits(), limits, all_v2), (Writes{{"memory.max", "8192"},
                                                          {"memory.swap.max", "4096"},
                                                          {"cpu.max", "50000 200000"},
                                                          {"cpu.weight", "500"},
                                                          {"pids.max", "10"}}));
}

TEST(CgroupLimits, ResetsV2Files) {
  const Resources limits{.memory_max = 8192, .cpu_quota = microseconds{50'000}, .cpu_weight = 5};
  EXPECT_EQ(planned(limits, no_limits(), all_v2), (Writes{{"memory.max", "max"},
                                                          {"memory.swap.max", "max"},
                                                          {"cpu.max", "max 100000"},
                                                          {"cpu.weight", "100"},
                                                          {"pids.max", "max"}}));
}

TEST(CgroupLimits, LowersMemoryBeforeTheSumOnV1) {
  const Resources limits{.memory_max = 8192, .swap_max = 100, .pids_max = {}};
  EXPECT_EQ(planned(no_limits(), limits, all_v1),
            (Writes{{"memory.limit_in_bytes", "8192"}, {"memory.memsw.limit_in_bytes", "8292"}}));
}

TEST(CgroupLimits, RaisesTheSumBeforeMemoryOnV1) {
  const Resources low{.memory_max = 8192, .pids_max = {}};
  const Resources high{.memory_max = 16384, .pids_max = {}};
  EXPECT_EQ(planned(low, high, all_v1),
            (Writes{{"memory.memsw.limit_in_bytes", "16384"}, {"memory.limit_in_bytes", "16384"}}));
  EXPECT_EQ(planned(low, no_limits(), all_v1),
            (Writes{{"memory.memsw.limit_in_bytes", "-1"}, {"memory.limit_in_bytes", "-1"}}));
}

TEST(CgroupLimits, TheSumOnV1DoesNotOverflow) {
  const Resources limits{.memory_max = ~0ULL, .swap_max = ~0ULL, .pids_max = {}};
  EXPECT_EQ(planned(no_limits(), limits, all_v1).back().second, "9223372036854775807");
}

TEST(CgroupLimits, OnlyTheSwapFilesMayBeMissing) {
  const Resources limits{.memory_max = 8192};
  for (const LimitFiles& files : {all_v1, all_v2})
    for (const LimitWrite& write : plan_limits(no_limits(), limits, files))
      EXPECT_EQ(write.absence == Absence::tolerated, write.limit == "swap_max 0") << write.limit;
}

TEST(CgroupLimits, LiftsTheQuotaWhileThePeriodChangesOnV1) {
  const Resources from{.cpu_quota = microseconds{10'000}, .pids_max = {}};
  const Resources to{
      .cpu_quota = microseconds{20'000}, .cpu_period = microseconds{50'000}, .pids_max = {}};
  EXPECT_EQ(planned(from, to, all_v1), (Writes{{"cpu.cfs_quota_us", "-1"},
                                               {"cpu.cfs_period_us", "50000"},
                                               {"cpu.cfs_quota_us", "20000"}}));
  EXPECT_EQ(planned(no_limits(), from, all_v1), (Writes{{"cpu.cfs_quota_us", "10000"}}));
  EXPECT_EQ(planned(to, no_limits(), all_v1),
            (Writes{{"cpu.cfs_quota_us", "-1"}, {"cpu.cfs_period_us", "100000"}}));
}

TEST(CgroupLimits, ConvertsWeightsToSharesAsTheKernelDoes) {
  const auto shares = [](std::uint32_t weight) {
    return planned(no_limits(), {.cpu_weight = weight, .pids_max = {}}, all_v1).at(0).second;
  };
  EXPECT_EQ(shares(1), "10");
  EXPECT_EQ(shares(10'000), "102400");
  EXPECT_TRUE(planned(no_limits(), {.cpu_weight = 100, .pids_max = {}}, all_v1).empty());
}

TEST(CgroupLimits, EachWriteKnowsHowToBeUndone) {
  const Resources limits{.memory_max = 8192, .cpu_quota = microseconds{50'000}};
  for (const LimitFiles& files : {all_v1, all_v2}) {
    const auto forth = plan_limits(no_limits(), limits, files);
    auto back = plan_limits(limits, no_limits(), files);
    ASSERT_EQ(forth.size(), back.size());
    for (const LimitWrite& write : forth)
      EXPECT_TRUE(std::any_of(back.begin(), back.end(), [&](const LimitWrite& other) {
        return other.file == write.file && other.value == write.previous &&
               other.previous == write.value;
      })) << write.file;
  }
}

TEST(CgroupLimits, RefusesALimitWhoseControllerIsMissing) {
  const auto refused = [](const Resources& resources) {
    const auto checked = check_limits(resources, {});
    EXPECT_FALSE(checked.has_value());
    if (checked) return std::string{};
    EXPECT_EQ(checked.error().code, Errc::unsupported);
    EXPECT_EQ(checked.error().stage, Stage::cgroup);
    EXPECT_NE(checked.error().hint.find("controller"), std::string::npos);
    return checked.error().subject;
  };
  EXPECT_EQ(refused({.memory_max = 4096}), "memory_max 4096");
  EXPECT_EQ(refused({.cpu_quota = microseconds{5000}}), "cpu_quota 5000us per 100000us");
  EXPECT_EQ(refused({.cpu_weight = 5}), "cpu_weight 5");
  EXPECT_EQ(refused({.pids_max = 5}), "pids_max 5");
}

TEST(CgroupLimits, DefaultsDoNotCountAsAskedFor) {
  EXPECT_TRUE(check_limits({}, {}).has_value());
  EXPECT_TRUE(plan_limits(no_limits(), {}, {}).empty());
}

TEST(CgroupLimits, RefusesValuesThatMeanNothing) {
  for (const Resources& resources :
       {Resources{.cpu_weight = 0}, Resources{.cpu_weight = 10'001}, Resources{.swap_max = 4096}}) {
    const auto checked = check_limits(resources, all_v1);
    ASSERT_FALSE(checked.has_value());
    EXPECT_EQ(checked.error().code, Errc::invalid_spec);
  }
}

TEST(CgroupLimits, NamesTheLimitThatTheKernelRefused) {
  const auto writes = plan_limits(no_limits(), {.memory_max = 4096}, all_v1);
  const Error error = explain_refusal(
      {.code = Errc::exhausted, .sys_errno = EBUSY, .subject = "kept file"}, writes.at(0));
  EXPECT_EQ(error.stage, Stage::cgroup);
  EXPECT_EQ(error.subject, "memory_max 4096");
  EXPECT_NE(error.hint.find("uses more"), std::string::npos);
}

}  // namespace
}  // namespace sock::isolation
