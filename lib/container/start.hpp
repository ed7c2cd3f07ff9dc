#pragma once

// Carrying out a finished plan: one clone, or an intermediate process and then one.

#include <optional>

#include "sock/result.hpp"

#include "child/plan.hpp"
#include "container/plan_memory.hpp"
#include "isolation/cgroup/pool.hpp"
#include "isolation/features.hpp"
#include "sys/spawn.hpp"

namespace sock::container {

struct StartRequest {
  std::uint64_t namespaces;  ///< CLONE_NEW*
  FdRef cgroup = {};         ///< For CLONE_INTO_CGROUP.
  isolation::KernelFeatures features;
  /// What to enter first, in an intermediate process.
  std::optional<child::EnterPlan> enter = {};
};

/// Returns when the payload was executed. If any step failed, the child has been reaped and the
/// Error says which.
Result<sys::Spawned> start(PlanMemory& memory, ChildStacks& stacks, const StartRequest& request);

/// The child's stages in their order; `exec` lasts until now.
void append_timings(const child::Report& report, std::vector<StageTiming>& timings);

}  // namespace sock::container
