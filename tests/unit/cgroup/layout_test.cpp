// Parsing of mountinfo and cgroup texts, on hand-written ones.

#include "isolation/cgroup/layout.hpp"

#include <gtest/gtest.h>

namespace sock::isolation {
namespace {

constexpr std::string_view hybrid_mounts =
    "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
    "30 22 0:27 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:7 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 30 0:31 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "39 30 0:36 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    "40 30 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
constexpr std::string_view hybrid_groups =
    "9:name=systemd:/\n"
    "4:memory:/jobs/a:b\n"
    "1:cpuacct,cpu:/\n"
    "0::/\n";

TEST(CgroupLayout, FindsTheV2MountOnAHybridMachine) {
  const Layout layout = parse_layout(hybrid_mounts, hybrid_groups);
  ASSERT_TRUE(layout.v2.has_value());
  EXPECT_EQ(layout.v2->mount_point, "/sys/fs/cgroup/unified");
  EXPECT_EQ(group_directory(*layout.v2, ""), "/sys/fs/cgroup/unified");
}

TEST(CgroupLayout, FindsV1MountsByControllerAndLeavesOutNamedOnes) {
  const Layout layout = parse_layout(hybrid_mounts, hybrid_groups);
  ASSERT_EQ(layout.v1.size(), 2U);
  EXPECT_EQ(layout.v1[0].controllers, std::vector<std::string>{"memory"});
  EXPECT_EQ(group_directory(layout.v1[0], ""), "/sys/fs/cgroup/memory/jobs/a:b");
}

TEST(CgroupLayout, FindsCoMountedControllersInAnyOrder) {
  const Layout layout = parse_layout(hybrid_mounts, hybrid_groups);
  ASSERT_EQ(layout.v1.size(), 2U);
  EXPECT_EQ(layout.v1[1].controllers, (std::vector<std::string>{"cpuacct", "cpu"}));
  EXPECT_EQ(layout.v1[1].mount_point, "/sys/fs/cgroup/cpu,cpuacct");
}

TEST(CgroupLayout, ReadsAPureV2Machine) {
  const Layout layout =
      parse_layout("24 22 0:21 / /sys/fs/cgroup rw,nosuid shared:4 master:1 - cgroup2 none rw\n",
                   "0::/user.slice/user-1000.slice/run-1.scope\n");
  ASSERT_TRUE(layout.v2.has_value());
  EXPECT_TRUE(layout.v1.empty());
  EXPECT_EQ(group_directory(*layout.v2, ""),
            "/sys/fs/cgroup/user.slice/user-1000.slice/run-1.scope");
}

// `mount -t cgroup2 "" DIRECTORY`: two spaces stand where its source would.
TEST(CgroupLayout, ReadsAMountWithoutASource) {
  const Layout layout =
      parse_layout("24 22 0:21 / /cg rw shared:4 - cgroup2  rw,nsdelegate\n", "0::/a\n");
  ASSERT_TRUE(layout.v2.has_value());
  EXPECT_EQ(group_directory(*layout.v2, ""), "/cg/a");
}

TEST(CgroupLayout, ReadsAPureV1Machine) {
  const Layout layout =
      parse_layout("24 22 0:21 / /cg/pids rw - cgroup pids rw,pids\n", "2:pids:/x\n1:memory:/\n");
  EXPECT_FALSE(layout.v2.has_value());
  ASSERT_EQ(layout.v1.size(), 1U) << "memory is not mounted";
  EXPECT_EQ(group_directory(layout.v1[0], ""), "/cg/pids/x");
}

TEST(CgroupLayout, DecodesEscapedNames) {
  EXPECT_EQ(decode_mount_path("/a\\040b\\134c\\011"), "/a b\\c\t");
  EXPECT_EQ(decode_mount_path("/odd\\04"), "/odd\\04");
  const Layout layout =
      parse_layout("24 22 0:21 /r\\040s /my\\040cg rw - cgroup2 none rw\n", "0::/r s/leaf\n");
  ASSERT_TRUE(layout.v2.has_value());
  EXPECT_EQ(group_directory(*layout.v2, ""), "/my cg/leaf");
}

TEST(CgroupLayout, TakesTheOwnCgroupRelativeToABindMountedRoot) {
  const Layout layout = parse_layout("24 22 0:21 /docker/1 /sys/fs/cgroup rw - cgroup2 none rw\n",
                                     "0::/docker/1/child\n");
  ASSERT_TRUE(layout.v2.has_value());
  EXPECT_EQ(group_directory(*layout.v2, ""), "/sys/fs/cgroup/child");
}

TEST(CgroupLayout, CannotReachTheOwnCgroupOutsideOfTheMount) {
  for (const std::string_view own : {"0::/docker/12\n", "0::/other\n", "0::/\n"}) {
    const Layout layout =
        parse_layout("24 22 0:21 /docker/1 /sys/fs/cgroup rw - cgroup2 none rw\n", own);
    ASSERT_TRUE(layout.v2.has_value());
    EXPECT_EQ(group_directory(*layout.v2, ""), "") << own;
    EXPECT_EQ(group_directory(*layout.v2, "/mine"), "/sys/fs/cgroup/mine") << own;
  }
}

TEST(CgroupLayout, CannotReachACgroupOutsideOfTheCgroupNamespace) {
  const Layout layout =
      parse_layout("24 22 0:21 / /sys/fs/cgroup rw - cgroup2 none rw\n", "0::/../other\n");
  ASSERT_TRUE(layout.v2.has_value());
  EXPECT_EQ(group_directory(*layout.v2, ""), "");
}

TEST(CgroupLayout, PrefersTheMountThatShowsTheOwnCgroup) {
  const Layout layout = parse_layout(
      "24 22 0:21 /elsewhere /bound rw - cgroup2 none rw\n"
      "25 22 0:21 / /whole rw - cgroup2 none rw\n",
      "0::/mine\n");
  ASSERT_TRUE(layout.v2.has_value());
  EXPECT_EQ(group_directory(*layout.v2, ""), "/whole/mine");
}

TEST(CgroupLayout, TakesAParentRelativeToTheMount) {
  const Layout layout = parse_layout(hybrid_mounts, hybrid_groups);
  ASSERT_TRUE(layout.v2.has_value());
  EXPECT_EQ(group_directory(*layout.v2, "/user.slice/me/"), "/sys/fs/cgroup/unified/user.slice/me");
  EXPECT_EQ(group_directory(*layout.v2, "me"), "/sys/fs/cgroup/unified/me");
  EXPECT_EQ(group_directory(*layout.v2, "/"), "/sys/fs/cgroup/unified");
}

TEST(CgroupLayout, SkipsWhatItDoesNotUnderstand) {
  const Layout layout = parse_layout("\n- - -\n1 2 3\n24 22 0:21 / /cg rw -\n - cgroup2 x y",
                                     "\n0:\n::\nnonsense\n7:memory:/\n");
  EXPECT_FALSE(layout.v2.has_value());
  EXPECT_TRUE(layout.v1.empty());
}

}  // namespace
}  // namespace sock::isolation
