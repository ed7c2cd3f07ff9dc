// Removing what somebody else has made.

#include "store/tree_removal.hpp"

#include <filesystem>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "../temporary_directory.hpp"
#include "sys/file.hpp"

namespace sock::store {
namespace {

namespace fs = std::filesystem;

class TreeRemovalTest : public ::testing::Test {
 protected:
  sock::testing::TemporaryDirectory made_;
  const fs::path path_ = made_.path();
  UniqueFd directory_ = sys::open(sys::cwd, made_.path().string(), O_RDONLY | O_DIRECTORY).value();
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
