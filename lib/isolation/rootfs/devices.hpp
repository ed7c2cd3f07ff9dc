#pragma once

// The minimal /dev, and pseudo-terminals.

#include "sock/fd.hpp"
#include "sock/result.hpp"
#include "sock/spec.hpp"

#include "isolation/rootfs/tree.hpp"

namespace sock::isolation {

/// null, zero, full, random, urandom, tty, the links to /proc/self/fd, and places for shm and pts.
/// Without the right to make devices, the machine's own are bound.
Result<> attach_devices(Tree& tree);

struct TerminalPair {
  UniqueFd master;
  UniqueFd slave;
};
/// A devpts of the container's own at /dev/pts with one terminal, /dev/pts/0.
Result<TerminalPair> attach_terminal(Tree& tree, const Terminal& terminal);

/// A terminal of a devpts that is mounted nowhere, for a process of a container without one: it
/// works in every way but has no name inside.
Result<TerminalPair> make_nameless_terminal(const Terminal& terminal);

}  // namespace sock::isolation
