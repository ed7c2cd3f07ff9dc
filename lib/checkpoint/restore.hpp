#pragma once

// Starting a container from a snapshot.

#include <chrono>

#include "sock/checkpoint.hpp"
#include "sock/result.hpp"

#include "container/launch.hpp"
#include "container/workshop.hpp"

namespace sock::checkpoint {

/// What the container is then: its spec in the snapshot, with what is new.
ContainerSpec spec_to_restore(const SnapshotInUse::Impl& snapshot, const RestoreOptions& options);

/// On failure nothing is left. Blocking: until the processes run.
Result<container::Launched> restore(container::Workshop& workshop,
                                    const SnapshotInUse::Impl& snapshot, const ContainerSpec& spec,
                                    std::chrono::milliseconds deadline);

}  // namespace sock::checkpoint
