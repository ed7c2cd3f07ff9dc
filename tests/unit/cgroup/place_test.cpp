// Where groups go on cgroup v2, on plain directories that look like a machine's hierarchy.

#include "isolation/cgroup/place.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace sock::isolation {
namespace {

namespace fs = std::filesystem;

class PlaceForGroups : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "sock-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    top_ = pattern;
    write("/cgroup.controllers", "cpu memory pids\n");
    write("/cgroup.procs", "1\n2\n");
  }
  void TearDown() override { fs::remove_all(top_); }

  void make_group(const std::string& group, const char* controllers, const char* processes) {
    fs::create_directories(top_ + group);
    write(group + "/cgroup.events", "populated 1\nfrozen 0\n");
    write(group + "/cgroup.controllers", controllers);
    write(group + "/cgroup.procs", processes);
  }
  [[nodiscard]] std::string found_from(const std::string& own) const {
    const std::string place = find_place_for_groups(top_ + own, top_);
    return place.starts_with(top_) ? place.substr(top_.size()) : place;
  }
  void write(const std::string& file, const char* text) const {
    std::ofstream{top_ + file} << text;
  }

 private:
  std::string top_;
};

TEST_F(PlaceForGroups, IsTheRootForACallerInTheRoot) {
  EXPECT_EQ(found_from(""), "");
}

TEST_F(PlaceForGroups, IsTheNearestGroupWithoutProcessesAboveTheCaller) {
  make_group("/user.slice", "memory pids\n", "");
  make_group("/user.slice/user-0.slice", "memory pids\n", "");
  make_group("/user.slice/user-0.slice/session-1.scope", "memory pids\n", "100\n");
  EXPECT_EQ(found_from("/user.slice/user-0.slice/session-1.scope"), "/user.slice/user-0.slice");
}

TEST_F(PlaceForGroups, PassesOverGroupsWithProcesses) {
  make_group("/a", "memory\n", "50\n");
  make_group("/a/b", "memory\n", "100\n");
  EXPECT_EQ(found_from("/a/b"), "");
}

TEST_F(PlaceForGroups, PassesOverGroupsWithoutControllers) {
  make_group("/a", "pids\n", "");
  make_group("/a/b", "\n", "");
  make_group("/a/b/c", "\n", "100\n");
  EXPECT_EQ(found_from("/a/b/c"), "/a");
}

TEST_F(PlaceForGroups, IsTheCallersOwnWhereNobodyHasControllers) {
  write("/cgroup.controllers", "\n");
  make_group("/a", "\n", "");
  make_group("/a/b", "\n", "100\n");
  EXPECT_EQ(found_from("/a/b"), "/a/b");
}

TEST_F(PlaceForGroups, IsTheCallersOwnWhereV2HasNoneOfThoseThatLimitsAreMadeWith) {
  write("/cgroup.controllers", "hugetlb misc\n");  // Of a hybrid machine.
  make_group("/a", "\n", "100\n");
  EXPECT_EQ(found_from("/a"), "/a");
}

TEST_F(PlaceForGroups, IsTheCallersOwnWhereItIsAloneInTheMount) {
  // As in a container with its own cgroup namespace: the top is no root of a hierarchy.
  make_group("", "memory\n", "1\n");
  EXPECT_EQ(found_from(""), "");
}

}  // namespace
}  // namespace sock::isolation
