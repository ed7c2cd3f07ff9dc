// The code of a function, in an archive that anybody may have made: an input is one.

#include <filesystem>

#include <sys/mman.h>
#include <unistd.h>

#include "input.hpp"
#include "sockd/code_archive.hpp"

namespace {

namespace fs = std::filesystem;
using sock::fuzz::expect;

/// Where all inputs of this process are unpacked, one after another. It goes with the scratch
/// directory of whoever runs this.
const fs::path& place() {
  static const fs::path made = [] {
    std::string path = fs::temp_directory_path() / "sock-code-XXXXXX";
    expect(::mkdtemp(path.data()) != nullptr, "there is a temporary directory");
    return fs::path{path};
  }();
  return made;
}

void expect_only_files(const fs::path& directory) {
  for (const auto& entry : fs::recursive_directory_iterator{directory}) {
    const auto status = entry.symlink_status();
    expect(fs::is_directory(status) || fs::is_regular_file(status),
           "nothing but files and directories is made");
    const auto special =
        fs::perms::set_uid | fs::perms::set_gid | fs::perms::group_write | fs::perms::others_write;
    expect(!fs::is_regular_file(status) || (status.permissions() & special) == fs::perms::none,
           "nobody else may write a file");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fs::path out = place() / "out";
  fs::create_directory(out);
  const int before = sock::fuzz::next_descriptor();
  {
    const sock::UniqueFd archive{::memfd_create("archive", MFD_CLOEXEC)};
    expect(::write(archive.get(), data, size) == static_cast<ssize_t>(size) &&
               ::lseek(archive.get(), 0, SEEK_SET) == 0,
           "an archive is a file");
    const auto unpacked = sockd::unpack_code(archive.ref(), out);
    expect_only_files(out);
    if (unpacked)
      expect((fs::status(out).permissions() & fs::perms::mask) == fs::perms{0755},
             "everybody may read it");
  }
  expect(sock::fuzz::next_descriptor() == before, "no descriptor is left open");
  const auto count = std::distance(fs::directory_iterator{place()}, fs::directory_iterator{});
  expect(count == 1, "nothing is written beside it");
  fs::remove_all(out);
  return 0;
}
