#pragma once

// The cgroup that a service manager has given us (Delegate=yes). KERNEL: on v2 one that has
// processes itself can have no limits below, so ours are in a group of their own.

#include "try.hpp"

namespace sockd {

/// Moves this process into the group "daemon" below its own, where it is managed: NOTIFY_SOCKET is
/// set, and its v2 group is not the root. systemd removes it with the unit's. Before there are
/// containers.
sock::Result<> leave_delegated_group();

}  // namespace sockd
