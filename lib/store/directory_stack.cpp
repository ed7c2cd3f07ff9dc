// The directories on the way to the current entry.

#include "store/directory_stack.hpp"

#include <fcntl.h>

#include "base/try.hpp"
#include "sys/file.hpp"

namespace sock::store {
namespace {

bool leads_to(std::string_view directory, std::string_view path) {
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace

Result<FdRef> DirectoryStack::enter(std::string_view path) {
  while (!levels_.empty() && !leads_to(levels_.back().path, path)) levels_.pop_back();
  while (levels_.empty() ? !path.empty() : levels_.back().path.size() < path.size()) {
    const std::size_t done = levels_.empty() ? 0 : levels_.back().path.size() + 1;
    const auto end = path.find('/', done);
    const std::string name{path.substr(done, end - done)};
    const FdRef above = levels_.empty() ? root_ : levels_.back().directory.ref();
    UniqueFd directory = SOCK_TRY(sys::open_beneath(above, name, O_PATH | O_DIRECTORY));
    levels_.push_back(
        {.path = std::string{path.substr(0, end)}, .directory = std::move(directory)});
  }
  return levels_.empty() ? root_ : levels_.back().directory.ref();
}

void DirectoryStack::forget(std::string_view path) {
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    if (!leads_to(path, levels_[i].path)) continue;
    levels_.resize(i);
    return;
  }
}

}  // namespace sock::store
