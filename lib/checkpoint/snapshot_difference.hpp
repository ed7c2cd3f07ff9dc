#pragma once

// Two snapshots of a store compared: their manifests, what was in their tmpfs mounts, their pages.

#include <string>

#include "sock/checkpoint.hpp"

#include "checkpoint/snapshot_directory.hpp"

namespace sock::checkpoint {

/// Whoever asks holds the locks of both.
Result<SnapshotDifference> compare_snapshots(const SnapshotDirectory& directory,
                                             const std::string& before, const std::string& after);

}  // namespace sock::checkpoint
