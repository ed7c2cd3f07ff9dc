#pragma once

// Emptying and removing a subtree of cgroups that may belong to somebody dead: what the pool's end,
// the janitor and the recovery of a state directory share.

#include <chrono>
#include <cstddef>
#include <string>

#include "sock/result.hpp"

namespace sock::isolation {

struct RemovedCgroups {
  std::size_t processes = 0;
  std::size_t cgroups = 0;
};

/// Kills every process below the absolute directory (thawing v1 freezers), waits until they are
/// gone, and removes the directory with all below it. A missing directory is success.
/// Any kind of hierarchy; needs only the directory itself. On failure: Stage::kill.
Result<RemovedCgroups> remove_cgroup_tree(const std::string& directory,
                                          std::chrono::steady_clock::time_point deadline);

}  // namespace sock::isolation
