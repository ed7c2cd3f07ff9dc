// Directories for downloads.

#include "temporary_directory.hpp"

#include <cstdlib>

namespace sockctl {

namespace fs = std::filesystem;

Result<TemporaryDirectory> TemporaryDirectory::create() {
  std::error_code failed;
  std::string path = (fs::temp_directory_path(failed) / "sock-fetch-XXXXXX").string();
  if (failed || ::mkdtemp(path.data()) == nullptr)
    return refuse(Errc::io, Stage::none, "a directory for downloads", "is TMPDIR writable?");
  return TemporaryDirectory{std::move(path)};
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace sockctl
