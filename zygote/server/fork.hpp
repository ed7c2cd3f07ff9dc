#pragma once

// Making a container's process from a zygote with one copy of the page tables, which is what a
// fork costs.
//
// An intermediate process that shares the zygote's memory unshares the namespaces and calls the C
// library's fork(): at-fork handlers run, the zygote's own namespaces stay what they are, and when
// the intermediate has ended, the domain's init is the child's parent.

#include <cstdint>

namespace sock::zygote {

enum class Side : std::uint8_t { zygote, child, failed };

struct Forked {
  Side side;
  int sys_errno = 0;  ///< Of `failed`.
};

/// Returns twice: in the zygote and, in memory of its own and as pid 1 of its own pid namespace, in
/// the child. `namespaces`: CLONE_NEW*. The caller must be single-threaded.
Forked fork_into_namespaces(std::uint64_t namespaces) noexcept;

}  // namespace sock::zygote
