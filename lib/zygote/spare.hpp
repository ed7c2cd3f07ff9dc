#pragma once

// A child that is forked ahead, and the groups that it waits in.

#include "isolation/cgroup/pool.hpp"
#include "zygote/child.hpp"

namespace sock::zygote {

/// Whoever waits already is in the groups of the container that it will be: to join a v2 group
/// takes the kernel milliseconds when none was joined for a while.
struct Spare {
  isolation::Cgroup cgroup;  ///< First, so that it goes last: it is given back empty.
  Child child;
};

/// Groups with the limits of one that waits: it does nothing, and shall not be able to do much.
Result<isolation::Cgroup> take_waiting_groups(isolation::CgroupPool& pool);

/// Tells the child at the other end where to wait.
Result<> send_waiting_groups(const Peer& child, isolation::Cgroup& cgroup);

}  // namespace sock::zygote
