// The pool where there are no cgroups, or not the ones that were asked for: needs no machine.

#include <gtest/gtest.h>

#include "isolation/cgroup/pool.hpp"
#include "payload.hpp"

namespace sock::isolation {
namespace {

constexpr KernelFeatures everything{.clone3 = true, .clone_into_cgroup = true, .cgroup_kill = true};

TEST(CgroupPoolWithoutCgroups, GivesEmptyGroupsAndRefusesLimits) {
  auto pool = CgroupPool::plan({.backend = CgroupBackend::none}, everything, "test-none");
  ASSERT_TRUE(pool.has_value());
  EXPECT_TRUE((*pool)->directories().empty());
  ASSERT_TRUE((*pool)->prepare().has_value());
  auto group = (*pool)->take({});
  ASSERT_TRUE(group.has_value());
  EXPECT_FALSE(group->clone_into());
  EXPECT_TRUE(group->join_fds().empty());
  EXPECT_EQ(group->freeze(soon()).error().code, Errc::unsupported);
  EXPECT_TRUE(group->kill_all(soon()).has_value());
  EXPECT_EQ(group->oom_kills(), 0U);
  const auto refused = (*pool)->take({.pids_max = 7});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().subject, "pids_max 7");
}

TEST(CgroupPoolWithoutCgroups, BoundsTheReserve) {
  for (const std::size_t reserve : {std::size_t{4097}, SIZE_MAX}) {
    const auto pool =
        CgroupPool::plan({.backend = CgroupBackend::none, .reserve = reserve}, everything, "test");
    ASSERT_FALSE(pool.has_value());
    EXPECT_EQ(pool.error().code, Errc::invalid_spec);
    EXPECT_EQ(pool.error().subject, "cgroup.reserve");
  }
}

TEST(CgroupPoolWithoutCgroups, RefusesAParentThatIsNotThere) {
  const auto pool = CgroupPool::plan({.backend = CgroupBackend::v1, .parent = "/no/such/cgroup"},
                                     everything, "test-parent");
  ASSERT_FALSE(pool.has_value());
  EXPECT_NE(pool.error().hint, "");
}

}  // namespace
}  // namespace sock::isolation
