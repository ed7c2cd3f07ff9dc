// Taking a stitched root apart.

#include "checkpoint/stitched_mounts.hpp"

#include <fcntl.h>

#include "base/try.hpp"
#include "sys/file.hpp"
#include "sys/mount.hpp"

namespace sock::checkpoint {
namespace {

Result<UniqueFd> find_part(const isolation::Tree& tree, const std::string& place) {
  const auto there = SOCK_TRY(tree.open_attached(place));
  return sys::clone_mount(there, "", sys::Depth::one_mount);
}

}  // namespace

Result<std::vector<StitchedMount>> take_apart(const isolation::Tree& tree,
                                              const std::vector<std::string>& places) {
  std::vector<StitchedMount> mounts;
  for (const auto& place : places) {
    auto mount = SOCK_TRY(base::in_stage(Stage::rootfs, find_part(tree, place)));
    const auto status = SOCK_TRY(base::in_stage(Stage::rootfs, sys::status(mount)));
    mounts.push_back({.place = place,
                      .mount = std::move(mount),
                      .is_directory = status.type == sys::FileType::directory});
  }
  return mounts;
}

Result<> lay_out(const std::vector<StitchedMount>& mounts, const std::string& directory) {
  const auto table = SOCK_TRY(sys::open_literally(sys::cwd, directory, O_RDONLY | O_DIRECTORY));
  for (std::size_t number = 0; number < mounts.size(); ++number) {
    const auto name = std::to_string(number);
    if (mounts[number].is_directory)
      SOCK_TRY(sys::make_dir(table, name, 0700));
    else
      SOCK_TRY(sys::open_beneath(table, name, O_WRONLY | O_CREAT | O_EXCL, 0600));
    const auto target = SOCK_TRY(sys::open_beneath(table, name, O_PATH));
    SOCK_TRY(sys::attach_mount(mounts[number].mount, target));
  }
  return {};
}

std::string path_of(const std::string& directory, std::size_t number) {
  return directory + "/" + std::to_string(number);
}

}  // namespace sock::checkpoint
