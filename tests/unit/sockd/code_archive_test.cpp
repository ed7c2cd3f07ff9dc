// Archives of code, made by libarchive itself. tests/sockd has those of other tools, and hostile
// ones.

#include "sockd/code_archive.hpp"

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

class CodeArchive : public testing::Test {
 protected:
  CodeArchive()
      : directory_{fs::temp_directory_path() / ("sock-code-" + std::to_string(::getpid()))} {
    fs::remove_all(directory_);
    fs::create_directories(directory_ / "out");
  }
  ~CodeArchive() override { fs::remove_all(directory_); }

  void write(int (*format)(archive*), int (*filter)(archive*)) {
    const std::unique_ptr<archive, int (*)(archive*)> to{archive_write_new(), archive_write_free};
    format(to.get());
    filter(to.get());
    ASSERT_EQ(archive_write_open_filename(to.get(), path().c_str()), ARCHIVE_OK);
    for (const auto& [name, mode] : {std::pair{"./main.py", 0600}, std::pair{"bin//run", 0700}}) {
      const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry{archive_entry_new(),
                                                                           archive_entry_free};
      archive_entry_set_pathname(entry.get(), name);
      archive_entry_set_filetype(entry.get(), AE_IFREG);
      archive_entry_set_perm(entry.get(), static_cast<unsigned>(mode));
      archive_entry_set_size(entry.get(), 4);
      archive_write_header(to.get(), entry.get());
      archive_write_data(to.get(), "text", 4);
    }
    archive_write_close(to.get());
  }

  [[nodiscard]] fs::path path() const { return directory_ / "archive"; }
  [[nodiscard]] fs::path out() const { return directory_ / "out"; }

 private:
  fs::path directory_;
};

TEST_F(CodeArchive, IsTarOrZip) {
  const std::pair<int (*)(archive*), int (*)(archive*)> kinds[] = {
      {archive_write_set_format_pax_restricted, archive_write_add_filter_none},
      {archive_write_set_format_gnutar, archive_write_add_filter_gzip},
      {archive_write_set_format_ustar, archive_write_add_filter_zstd},
      {archive_write_set_format_zip, archive_write_add_filter_none}};
  const auto mask = ::umask(022);
  for (const auto& [format, filter] : kinds) {
    fs::remove_all(out());
    fs::create_directories(out());
    write(format, filter);
    const sock::UniqueFd file{::open(path().c_str(), O_RDONLY | O_CLOEXEC)};
    const auto unpacked = unpack_code(file, out());
    ASSERT_TRUE(unpacked.has_value()) << unpacked.error().message();
    std::ifstream text{out() / "main.py"};
    EXPECT_EQ((std::string{std::istreambuf_iterator<char>{text}, {}}), "text");
    EXPECT_EQ(fs::status(out() / "main.py").permissions(), fs::perms{0644});
    EXPECT_EQ(fs::status(out() / "bin/run").permissions(), fs::perms{0755});
  }
  ::umask(mask);
}

}  // namespace
}  // namespace sockd
