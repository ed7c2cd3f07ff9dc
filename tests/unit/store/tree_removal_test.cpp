// Removing what somebody else has made.

#include "store/tree_removal.hpp"

#include <filesystem>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "sys/file.hpp"

namespace sock::store {
namespace {

namespace fs = std::filesystem;

class TreeRemovalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "sock-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
    directory_ = sys::open(sys::cwd, pattern, O_RDONLY | O_DIRECTORY).value();
  }
  void TearDown() override { fs::remove_all(path_); }

  fs::path path_;
  UniqueFd directory_;
};

TEST_F(TreeRemovalTest, NeedsNoMoreDescriptorsForADeepOne) {
  constexpr int depth = 500;
  constexpr rlim_t descriptors = 128;
  UniqueFd at = sys::open(directory_, ".", O_RDONLY | O_DIRECTORY).value();
  for (int i = 0; i < depth; ++i) {
    ASSERT_EQ(::mkdirat(at.get(), "deep", 0700), 0);
    ASSERT_EQ(::mkdirat(at.get(), "beside", 0), 0);  // Its owner may not enter it.
    at = sys::open(at, "deep", O_RDONLY | O_DIRECTORY).value();
  }
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{.rlim_cur = descriptors, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto removed = remove_tree(directory_, "deep");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(removed.has_value()) << removed.error().message();
  EXPECT_FALSE(fs::exists(path_ / "deep"));
  EXPECT_TRUE(fs::exists(path_ / "beside"));
  EXPECT_TRUE(remove_tree(directory_, "beside").has_value());
}

TEST_F(TreeRemovalTest, FollowsNoLink) {
  ASSERT_TRUE(fs::create_directories(path_ / "kept/inside"));
  ASSERT_TRUE(fs::create_directories(path_ / "gone"));
  fs::create_directory_symlink("../kept", path_ / "gone/link");
  ASSERT_TRUE(remove_tree(directory_, "gone").has_value());
  EXPECT_FALSE(fs::exists(path_ / "gone"));
  EXPECT_TRUE(fs::exists(path_ / "kept/inside"));
  EXPECT_TRUE(remove_tree(directory_, "gone").has_value()) << "a missing one is success";
}

}  // namespace
}  // namespace sock::store
