// How far a watched directory was looked at.

#include "sockd/directory_mark.hpp"

#include <filesystem>

#include <unistd.h>

#include <gtest/gtest.h>

namespace sockd {
namespace {

namespace fs = std::filesystem;
using std::chrono::nanoseconds;

class DirectoryMarkTest : public testing::Test {
 protected:
  DirectoryMarkTest()
      : file_{fs::temp_directory_path() / ("sock-mark-" + std::to_string(::getpid()))} {
    fs::remove(file_);
  }
  ~DirectoryMarkTest() override { fs::remove(file_); }

  DirectoryMark read(const std::string& directory = "/in", int now = 100) {
    return {file_, directory, nanoseconds{now}};
  }
  static FoundFile file(const std::string& name, int changed) {
    return {.name = name, .size = 1, .changed = nanoseconds{changed}};
  }

  fs::path file_;
};

TEST_F(DirectoryMarkTest, StartsNow) {
  const auto mark = read();
  EXPECT_FALSE(mark.is_behind(file("old", 99)));
  EXPECT_TRUE(mark.is_behind(file("new", 101)));
  // It was written down: the next daemon starts later.
  EXPECT_TRUE(read("/in", 500).is_behind(file("new", 101)));
}

TEST_F(DirectoryMarkTest, KnowsFilesOfOneTimeFromEachOther) {
  auto mark = read();
  mark.advance(file("b", 200));
  EXPECT_FALSE(mark.is_behind(file("b", 200)));
  EXPECT_TRUE(mark.is_behind(file("a", 200)));
  EXPECT_TRUE(read("/in", 500).is_behind(file("a", 200)));
  EXPECT_FALSE(read("/in", 500).is_behind(file("b", 200)));
  mark.advance(file("a", 200));
  EXPECT_FALSE(read("/in", 500).is_behind(file("a", 200)));
  mark.advance(file("c", 300));
  EXPECT_FALSE(mark.is_behind(file("d", 200)));
}

TEST_F(DirectoryMarkTest, DoesNotGoBack) {
  auto mark = read();
  mark.advance(file("b", 200));
  mark.advance(file("a", 150));
  EXPECT_FALSE(mark.is_behind(file("b", 200)));
}

TEST_F(DirectoryMarkTest, OnAFullDiskIsTheOneBefore) {
  auto mark = read();
  const std::string fresh = file_.string() + ".new";
  fs::create_symlink("/dev/full", fresh);
  mark.advance(file("a", 200));
  EXPECT_FALSE(mark.is_behind(file("a", 200)));
  EXPECT_TRUE(read("/in", 500).is_behind(file("a", 200)));
  EXPECT_FALSE(read("/in", 500).is_behind(file("old", 99)));
  fs::remove(fresh);
}

TEST_F(DirectoryMarkTest, HasNamesAsTheyAre) {
  auto mark = read("/with space");
  mark.advance(file("a\nb \xff", 200));
  EXPECT_FALSE(read("/with space", 500).is_behind(file("a\nb \xff", 200)));
}

TEST_F(DirectoryMarkTest, IsOfOneDirectory) {
  auto mark = read();
  mark.advance(file("b", 200));
  EXPECT_FALSE(read("/other", 300).is_behind(file("b", 250)));
}

}  // namespace
}  // namespace sockd
