// Files that get their names last.

#include "store/new_file.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "../temporary_directory.hpp"
#include "sys/file.hpp"

namespace sock::store {
namespace {

namespace fs = std::filesystem;

class NewFileTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return directory_.path() / name; }

  sock::testing::TemporaryDirectory directory_;
};

TEST_F(NewFileTest, HasNoNameBeforeItIsPublished) {
  const auto file = NewFile::create(path("new"));
  ASSERT_TRUE(file.has_value()) << file.error().message();
  ASSERT_TRUE(sys::write_all(file->file(), "text").has_value());
  EXPECT_FALSE(fs::exists(path("new")));
  ASSERT_TRUE(file->publish().has_value());
  EXPECT_EQ(fs::file_size(path("new")), 4U);
  EXPECT_EQ(fs::status(path("new")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(NewFileTest, IsForgottenUnlessItIsPublished) {
  { ASSERT_TRUE(NewFile::create(path("new")).has_value()); }
  EXPECT_TRUE(fs::is_empty(directory_.path()));
}

TEST_F(NewFileTest, ReplacesNothing) {
  const auto file = NewFile::create(path("new"));
  ASSERT_TRUE(file.has_value());
  std::ofstream{path("new")} << "older";
  EXPECT_EQ(file->publish().error().code, Errc::exists);
  EXPECT_EQ(NewFile::create(path("new")).error().code, Errc::exists);
  EXPECT_EQ(fs::file_size(path("new")), 5U);
  EXPECT_EQ(std::distance(fs::directory_iterator{directory_.path()}, {}), 1);
}

TEST_F(NewFileTest, NeedsADirectoryAndANameOfItsOwn) {
  EXPECT_EQ(NewFile::create(path("missing/new")).error().code, Errc::not_found);
  EXPECT_EQ(NewFile::create(path("..")).error().code, Errc::invalid_spec);
  EXPECT_EQ(NewFile::create("").error().code, Errc::invalid_spec);
}

}  // namespace
}  // namespace sock::store
