// Linking a tree.

#include "store/tree_link.hpp"

#include <string>

#include "base/try.hpp"
#include "store/directory_stack.hpp"
#include "store/entry_path.hpp"
#include "store/stage.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::store {
namespace {

constexpr mode_t while_writing = 0700;

}  // namespace

Result<> link_tree(FdRef from, const TreeRecord& record, FdRef to) {
  DirectoryStack sources{from};
  DirectoryStack targets{to};
  for (const auto& [path, entry] : record.entries) {
    if (path.empty()) continue;
    const std::string name{last_of(path)};
    const FdRef target = SOCK_TRY(base::in_stage(store_stage, targets.enter(parent_of(path))));
    if (entry.is_directory()) {
      SOCK_TRY(base::in_stage(store_stage, sys::make_dir(target, name, while_writing)));
      continue;
    }
    const FdRef source = SOCK_TRY(base::in_stage(store_stage, sources.enter(parent_of(path))));
    SOCK_TRY(base::in_stage(store_stage, sys::make_link(source, name, target, name)));
  }
  return {};
}

}  // namespace sock::store
