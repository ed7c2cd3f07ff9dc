// Removal of a subtree of cgroups: from the top down everything is thawed and killed, from the
// bottom up it is removed. Also part of the small janitor program.

#include "isolation/cgroup/removal.hpp"

#include "base/try.hpp"
#include "isolation/cgroup/emptying.hpp"
#include "sys/file.hpp"

namespace sock::isolation {
namespace {

/// Deeper than anything a container may make with the default of the v2 hierarchy in sane set-ups;
/// it bounds the descriptors that are open at a time.
constexpr int max_depth = 64;

Result<std::vector<std::string>> list_children(FdRef group) {
  std::vector<std::string> children;
  // KERNEL: a directory has two links and one more for each below it. Most groups have none, and
  // some forty files that would all be looked at.
  const auto itself = sys::status(group);
  if (itself && itself->links == 2) return children;
  for (std::string& name : SOCK_TRY(sys::list_dir(group))) {
    const auto status = sys::status_at(group, name);
    if (status && status->type == sys::FileType::directory) children.push_back(std::move(name));
  }
  return children;
}

/// Before anything is killed: whoever is killed through the parent is not seen afterwards.
Result<std::size_t> count_below(FdRef group, int depth) {
  std::size_t count = SOCK_TRY(count_processes(group));
  if (depth >= max_depth) return count;
  for (const std::string& child : SOCK_TRY(list_children(group))) {
    const auto below = sys::open(group, child, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (below) count += SOCK_TRY(count_below(*below, depth + 1));
  }
  return count;
}

Result<> remove_group(FdRef parent, const std::string& name, int depth, sys::Deadline deadline,
                      RemovedCgroups& removed);

Result<> remove_content(FdRef group, int depth, sys::Deadline deadline, RemovedCgroups& removed) {
  if (depth == 0) removed.processes = SOCK_TRY(count_below(group, 0));
  SOCK_TRY(empty_group(group, KillBy::cgroup_kill, deadline));
  for (const std::string& child : SOCK_TRY(list_children(group)))
    SOCK_TRY(remove_group(group, child, depth + 1, deadline, removed));
  return {};
}

Result<> remove_group(FdRef parent, const std::string& name, int depth, sys::Deadline deadline,
                      RemovedCgroups& removed) {
  if (depth > max_depth)
    return base::refuse(Errc::exhausted, Stage::kill, name, "cgroups are nested too deeply");
  const auto group = sys::open(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!group && group.error().code == Errc::not_found) return {};
  if (!group) return std::unexpected(group.error());
  // Only ever touches cgroups, whatever a damaged record names.
  if (!sys::status_at(*group, "cgroup.procs")) {
    if (!sys::status_at(parent, name)) return {};
    return base::refuse(Errc::corrupt, Stage::kill, name, "not a cgroup");
  }
  auto emptied = remove_content(*group, depth, deadline, removed);
  if (emptied) emptied = remove_empty(parent, name, deadline);
  // Somebody else may have removed it in the meantime: that is what was wanted.
  if (!emptied && sys::status_at(parent, name)) return emptied;
  ++removed.cgroups;
  return {};
}

}  // namespace

Result<RemovedCgroups> remove_cgroup_tree(const std::string& directory,
                                          std::chrono::steady_clock::time_point deadline) {
  RemovedCgroups removed;
  SOCK_TRY(base::in_stage(Stage::kill, remove_group(sys::cwd, directory, 0, deadline, removed)));
  return removed;
}

}  // namespace sock::isolation
