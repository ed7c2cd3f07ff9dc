#pragma once

// The /etc of host_image: enough for the C library, users' names and TLS, and nothing of the
// machine's own configuration.

#include "sock/result.hpp"

#include "isolation/rootfs/tree.hpp"

namespace sock::isolation {

/// Writes /etc into the tree's root, which must be an own, still writable tmpfs.
Result<> attach_host_etc(Tree& tree);

}  // namespace sock::isolation
