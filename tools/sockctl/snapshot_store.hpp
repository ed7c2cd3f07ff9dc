#pragma once

// The snapshot store of a user, opened, and what the root of a snapshot's container needs.

#include <optional>
#include <string>
#include <vector>

#include "sock/checkpoint.hpp"
#include "sock/image.hpp"
#include "sock/package_cache.hpp"

#include "launch.hpp"
#include "run_options.hpp"

namespace sockctl {

/// As given, or as choose_store() says. Makes the directories above it where they are missing.
Result<sock::SnapshotStore> open_snapshot_store(const std::string& option);

/// What CheckpointOptions::origins says of a container that was started with these.
Result<std::vector<std::string>> origins_of(const RunOptions& options, const Launch& launch);
/// The same of packages alone, for a root with this base.
Result<std::vector<std::string>> origins_of(const RunOptions& options, const std::string& base,
                                            const sock::PackagesInUse& packages);
/// The image and the packages of such a list, kept for as long as the handles live.
struct Origins {
  std::optional<sock::ImageRoot> image = {};
  std::vector<sock::PackagesInUse> packages = {};
};
Result<Origins> keep_origins(const std::vector<std::string>& origins, const RunOptions& options);

}  // namespace sockctl
