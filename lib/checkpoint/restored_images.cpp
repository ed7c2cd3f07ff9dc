// Linked or rewritten, one by one.

#include "checkpoint/restored_images.hpp"

#include <fcntl.h>

#include "base/try.hpp"
#include "checkpoint/criu_image_files.hpp"
#include "checkpoint/criu_owners.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::checkpoint {
namespace {

constexpr const char* directory_name = "images";

Result<> rewrite_image(const UserChange& change, FdRef images, const std::string& name, FdRef to) {
  const std::string bytes = SOCK_TRY(sys::read_file(images, name, most_criu_image));
  const std::string changed = SOCK_TRY(change_owners(name, bytes, change));
  const auto file =
      SOCK_TRY(sys::open_beneath(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  return sys::write_all(file, changed);
}

}  // namespace

Result<UniqueFd> images_for(const UserChange& change, FdRef images, const store::Staging& staging) {
  auto directory = SOCK_TRY(staging.make_dir(directory_name));
  for (const auto& name : SOCK_TRY(sys::list_dir(images))) {
    if (has_owners(name))
      SOCK_TRY(rewrite_image(change, images, name, directory));
    else
      SOCK_TRY(sys::make_link(images, name, directory, name));
  }
  return directory;
}

}  // namespace sock::checkpoint
