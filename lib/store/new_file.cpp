// Nameless files, and how they get names.

#include "store/new_file.hpp"

#include <filesystem>

#include <fcntl.h>

#include "base/try.hpp"
#include "store/stage.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::store {
namespace {

std::unexpected<Error> is_there(const std::string& name) {
  return base::refuse(Errc::exists, store_stage, name, "it is there already");
}

}  // namespace

Result<NewFile> NewFile::create(const std::string& path) {
  const std::filesystem::path whole{path};
  const std::string above = whole.has_parent_path() ? whole.parent_path().string() : ".";
  std::string name = whole.filename().string();
  if (name.empty() || name == "." || name == "..")
    return base::refuse(Errc::invalid_spec, store_stage, path, "it needs a name of its own");
  UniqueFd directory = SOCK_TRY(sys::open(sys::cwd, above, O_RDONLY | O_DIRECTORY));
  if (sys::status_at(directory, name).has_value()) return is_there(path);
  if (auto file = sys::open(directory, ".", O_TMPFILE | O_WRONLY, 0600); file.has_value())
    return NewFile{std::move(directory), std::move(name), {}, std::move(*file)};
  const std::string random = SOCK_TRY(sys::random_hex(8));
  std::string temporary = "." + name + "." + random;
  UniqueFd file = SOCK_TRY(
      sys::open_beneath(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  return NewFile{std::move(directory), std::move(name), std::move(temporary), std::move(file)};
}

NewFile::~NewFile() {
  if (directory_ && !temporary_.empty())
    static_cast<void>(sys::remove_file(directory_, temporary_));
}

Result<> NewFile::publish() const {
  SOCK_TRY(sys::sync_file(file_));
  // A second name, not a new one: what has come to be there meanwhile is not replaced.
  const auto named = temporary_.empty() ? sys::link_file(file_, directory_, name_)
                                        : sys::make_link(directory_, temporary_, directory_, name_);
  if (!named.has_value() && named.error().code == Errc::exists) return is_there(name_);
  SOCK_TRY(named);
  return sys::sync_file(directory_);
}

}  // namespace sock::store
