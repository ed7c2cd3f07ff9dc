// Removing a tree of files.

#include "store/tree_removal.hpp"

#include <vector>

#include <fcntl.h>

#include "base/try.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"
#include "sys/mount.hpp"

namespace sock::store {
namespace {

// Deeper trees are taken apart: so many descriptors at most, whatever there is.
constexpr std::size_t most_levels = 64;

struct Level {
  UniqueFd directory;
  std::string name;
  std::vector<std::string> left;  ///< Names still to be removed.
};

bool is_directory(FdRef dir, const std::string& name) {
  const auto found = sys::status_at(dir, name);
  return found.has_value() && found->type == sys::FileType::directory;
}

// A directory of an image may forbid its owner everything. Without root that stops us too.
Result<UniqueFd> open_to_empty(FdRef dir, const std::string& name) {
  constexpr mode_t all_of_ours = 0700;
  auto opened = sys::open_beneath(dir, name, O_RDONLY | O_DIRECTORY);
  if (!opened && opened.error().code == Errc::denied) {
    SOCK_TRY(sys::set_mode(dir, name, all_of_ours));
    return sys::open_beneath(dir, name, O_RDONLY | O_DIRECTORY);
  }
  if (opened && (SOCK_TRY(sys::inode(*opened)).mode & all_of_ours) != all_of_ours)
    SOCK_TRY(sys::set_mode_of(*opened, all_of_ours));
  return opened;
}

Result<Level> descend(FdRef dir, std::string name) {
  UniqueFd directory = SOCK_TRY(open_to_empty(dir, name));
  auto names = SOCK_TRY(sys::list_dir(directory));
  return Level{
      .directory = std::move(directory), .name = std::move(name), .left = std::move(names)};
}

// A directory that is too deep becomes one at the top, which is a single level.
Result<> bring_up(const Level& from, const std::string& name, Level& top) {
  SOCK_TRY(open_to_empty(from.directory, name));  // Whoever moves it must be able to write to it.
  std::string place = SOCK_TRY(sys::random_hex(8));
  SOCK_TRY(sys::rename(from.directory, name, top.directory, place));
  top.left.push_back(std::move(place));
  return {};
}

}  // namespace

Result<> remove_tree(FdRef dir, const std::string& name) {
  if (!is_directory(dir, name)) return sys::remove_file(dir, name);
  std::vector<Level> levels;
  levels.push_back(SOCK_TRY(descend(dir, name)));
  while (!levels.empty()) {
    Level& level = levels.back();
    if (level.left.empty()) {
      const std::string done = std::move(level.name);
      levels.pop_back();
      SOCK_TRY(sys::remove_dir(levels.empty() ? dir : levels.back().directory.ref(), done));
      continue;
    }
    std::string next = std::move(level.left.back());
    level.left.pop_back();
    if (!is_directory(level.directory, next)) {
      SOCK_TRY(sys::remove_file(level.directory, next));
      continue;
    }
    if (levels.size() == most_levels)
      SOCK_TRY(bring_up(level, next, levels.front()));
    else
      levels.push_back(SOCK_TRY(descend(level.directory, std::move(next))));
  }
  return {};
}

}  // namespace sock::store
