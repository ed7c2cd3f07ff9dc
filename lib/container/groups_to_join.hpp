#pragma once

// The way into the groups of a container for processes that are not made in them.

#include <vector>

#include <fcntl.h>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "base/try.hpp"
#include "isolation/cgroup/pool.hpp"
#include "sys/file.hpp"

namespace sock::container {

/// Every group of the container, the anchor first.
/// KERNEL: CLONE_INTO_CGROUP is no way in: on a hierarchy that is mounted with nsdelegate (systemd
/// does so) whoever is in a cgroup namespace may not move from outside of it (ENOENT), while a
/// descriptor that was opened out here may be written in there.
struct GroupsToJoin {
  UniqueFd anchor;
  std::vector<int> fds;  ///< Writing "0" joins.
};

inline Result<GroupsToJoin> open_groups(const isolation::Cgroup& cgroup) {
  GroupsToJoin groups;
  if (cgroup.clone_into()) {
    groups.anchor = SOCK_TRY(
        base::in_stage(Stage::cgroup, sys::open(cgroup.clone_into(), "cgroup.procs", O_WRONLY)));
    groups.fds.push_back(groups.anchor.get());
  }
  groups.fds.insert(groups.fds.end(), cgroup.join_fds().begin(), cgroup.join_fds().end());
  return groups;
}

/// Moves the caller.
inline Result<> join(const GroupsToJoin& groups) {
  for (const int group : groups.fds)
    SOCK_TRY(base::in_stage(Stage::cgroup_join, sys::rewrite(FdRef{group}, "0")));
  return {};
}

}  // namespace sock::container
