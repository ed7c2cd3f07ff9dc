// Functions on the disk, and what somebody's hands have made of them.

#include "sockd/function_store.hpp"

#include <filesystem>
#include <fstream>
#include <memory>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace sockd {
namespace {

namespace fs = std::filesystem;
using sock::Errc;

class FunctionStoreTest : public testing::Test {
 protected:
  FunctionStoreTest()
      : directory_{fs::temp_directory_path() / ("sock-store-" + std::to_string(::getpid()))} {
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  ~FunctionStoreTest() override { fs::remove_all(directory_); }

  FunctionStore open() { return FunctionStore::open(directory_ / "functions").value(); }

  sock::UniqueFd archive_with(const std::string& text) {
    const fs::path path = directory_ / "code.tar";
    {
      const std::unique_ptr<archive, int (*)(archive*)> to{archive_write_new(), archive_write_free};
      archive_write_set_format_ustar(to.get());
      archive_write_open_filename(to.get(), path.c_str());
      const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry{archive_entry_new(),
                                                                           archive_entry_free};
      archive_entry_set_pathname(entry.get(), "function.toml");
      archive_entry_set_filetype(entry.get(), AE_IFREG);
      archive_entry_set_perm(entry.get(), 0644);
      archive_entry_set_size(entry.get(), static_cast<la_int64_t>(text.size()));
      archive_write_header(to.get(), entry.get());
      archive_write_data(to.get(), text.data(), text.size());
    }
    return sock::UniqueFd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  }
  void add(FunctionStore store, const std::string& name) {
    const auto stored = store.add(name, archive_with("handler = \"main:handler\"\n"));
    ASSERT_TRUE(stored.has_value()) << stored.error().message();
    ASSERT_TRUE(store.make_current(*stored).has_value());
  }
  void write(const fs::path& path, const std::string& text) {
    std::ofstream{directory_ / "functions" / path} << text;
  }

  fs::path directory_;
};

TEST_F(FunctionStoreTest, KeepsTheCurrentVersion) {
  add(open(), "f");
  add(open(), "f");
  EXPECT_EQ(open().find("f").value().version, 2U);
  EXPECT_FALSE(fs::exists(directory_ / "functions/f/1"));
  EXPECT_EQ(open().names().value(), std::vector<std::string>{"f"});
}

// As an editor leaves it.
TEST_F(FunctionStoreTest, TakesANumberWithANewline) {
  add(open(), "f");
  write("f/current", "1\n");
  EXPECT_EQ(open().find("f").value().version, 1U);
}

TEST_F(FunctionStoreTest, RemovesNothingThatItCannotRead) {
  add(open(), "f");
  for (const auto* text : {"", "one", "1 2", "-1"}) {
    write("f/current", text);
    auto store = open();
    EXPECT_EQ(store.find("f").error().code, Errc::corrupt) << text;
    EXPECT_EQ(store.names().value(), std::vector<std::string>{"f"});
    EXPECT_TRUE(fs::exists(directory_ / "functions/f/1/function.toml"));
  }
  write("f/current", "1");
  write("f/1/function.toml", "handler = ");
  EXPECT_EQ(open().find("f").error().code, Errc::invalid_spec);
  write("f/1/function.toml", "handler = \"main:handler\"\n");
  EXPECT_TRUE(open().find("f").has_value());
}

TEST_F(FunctionStoreTest, RemovesWhatWasNeverCurrent) {
  auto store = open();
  ASSERT_TRUE(store.add("f", archive_with("handler = \"main:handler\"\n")).has_value());
  EXPECT_EQ(open().find("f").error().code, Errc::not_found);
  EXPECT_FALSE(fs::exists(directory_ / "functions/f"));
}

TEST_F(FunctionStoreTest, KeepsAllVersionsWhereTheCurrentOneIsNotThere) {
  add(open(), "f");
  write("f/current", "17");
  EXPECT_FALSE(open().find("f").has_value());
  EXPECT_TRUE(fs::exists(directory_ / "functions/f/1/function.toml")) << "its code";
  write("f/current", "1");
  EXPECT_TRUE(open().find("f").has_value());
}

TEST_F(FunctionStoreTest, DoesNotForgetTheCurrentVersion) {
  add(open(), "f");
  auto store = open();
  store.forget("f", 1);
  EXPECT_TRUE(store.find("f").has_value());
  ASSERT_TRUE(store.remove("f").has_value());
  store.forget("f", 1);
  EXPECT_FALSE(fs::exists(directory_ / "functions/f"));
}

}  // namespace
}  // namespace sockd
