// Removal of what somebody dead has left, on the real kernel.

#include "isolation/cgroup/removal.hpp"

#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "isolation/cgroup/layout.hpp"
#include "payload.hpp"
#include "sys/file.hpp"

namespace sock::isolation {
namespace {

namespace fs = std::filesystem;

/// A directory of a hierarchy of one kind, or the reason why there is none.
class CgroupRemovalOn : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const auto layout = read_layout("");
    ASSERT_TRUE(layout.has_value());
    const std::string kind = GetParam();
    const Hierarchy* found = kind == "v2" && layout->v2 ? &*layout->v2 : nullptr;
    for (const Hierarchy& hierarchy : layout->v1)
      for (const std::string& controller : hierarchy.controllers)
        if (controller == kind) found = &hierarchy;
    if (found == nullptr || !found->writable)
      GTEST_SKIP() << "needs a writable hierarchy of " << kind;
    directory_ = found->directory + "/sock-test-removal-" + std::to_string(::getpid());
    fs::create_directories(directory_ + "/c0/inner/innermost");
    fs::create_directories(directory_ + "/c1");
  }

  [[nodiscard]] UniqueFd procs(const std::string& group) const {
    return std::move(*sys::open(sys::cwd, directory_ + group + "/cgroup.procs", O_WRONLY));
  }

  std::string directory_;
};

TEST_P(CgroupRemovalOn, KillsEverybodyAndRemovesNestedGroups) {
  const UniqueFd inner = procs("/c0/inner/innermost");
  const UniqueFd outer = procs("/c1");
  const int inner_fds[]{inner.get()};
  const int outer_fds[]{outer.get()};
  Payload first{FdRef{}, inner_fds, Payload::wait_for_death};
  Payload second{FdRef{}, outer_fds, Payload::wait_for_death};
  ASSERT_TRUE(first.is_ready() && second.is_ready());
  const auto removed = remove_cgroup_tree(directory_, soon());
  ASSERT_TRUE(removed.has_value()) << removed.error().message();
  EXPECT_EQ(removed->processes, 2U);
  EXPECT_EQ(removed->cgroups, 5U);
  EXPECT_FALSE(fs::exists(directory_));
  EXPECT_EQ(first.end(), SIGKILL);
  EXPECT_EQ(second.end(), SIGKILL);
}

TEST_P(CgroupRemovalOn, KillsMoreProcessesThanItOpensAtATime) {
  const UniqueFd group = procs("/c1");
  const int fds[]{group.get()};
  std::vector<std::unique_ptr<Payload>> payloads;
  for (int i = 0; i < 70; ++i)
    payloads.push_back(std::make_unique<Payload>(FdRef{}, fds, Payload::wait_for_death));
  const auto removed = remove_cgroup_tree(directory_, soon());
  ASSERT_TRUE(removed.has_value()) << removed.error().message();
  EXPECT_EQ(removed->processes, 70U);
  for (const auto& payload : payloads) EXPECT_EQ(payload->end(), SIGKILL);
}

TEST_P(CgroupRemovalOn, ThawsWhatIsFrozen) {
  const std::string file =
      fs::exists(directory_ + "/c1/freezer.state") ? "freezer.state" : "cgroup.freeze";
  const UniqueFd group = procs("/c1");
  const int fds[]{group.get()};
  Payload payload{FdRef{}, fds, Payload::wait_for_death};
  if (fs::exists(directory_ + "/c1/" + file))
    std::ofstream{directory_ + "/c1/" + file} << (file == "freezer.state" ? "FROZEN" : "1");
  const auto removed = remove_cgroup_tree(directory_, soon());
  EXPECT_TRUE(removed.has_value()) << removed.error().message();
  EXPECT_EQ(payload.end(), SIGKILL);
}

INSTANTIATE_TEST_SUITE_P(Hierarchy, CgroupRemovalOn,
                         testing::Values("v2", "freezer", "memory", "pids"),
                         [](const auto& parameter) { return std::string{parameter.param}; });

TEST(CgroupRemoval, AMissingDirectoryIsSuccess) {
  const auto removed = remove_cgroup_tree("/sys/fs/cgroup/no-such-group", soon());
  ASSERT_TRUE(removed.has_value());
  EXPECT_EQ(removed->cgroups, 0U);
}

TEST(CgroupRemoval, NeverTouchesADirectoryThatIsNoCgroup) {
  const std::string directory =
      fs::temp_directory_path() / ("sock-test-removal-" + std::to_string(::getpid()));
  fs::create_directory(directory);
  const auto removed = remove_cgroup_tree(directory, soon());
  ASSERT_FALSE(removed.has_value());
  EXPECT_EQ(removed.error().code, Errc::corrupt);
  EXPECT_EQ(removed.error().stage, Stage::kill);
  EXPECT_TRUE(fs::remove(directory));
}

}  // namespace
}  // namespace sock::isolation
