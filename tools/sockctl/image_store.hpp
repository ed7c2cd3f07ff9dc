#pragma once

// Where images are kept, and a container's root and settings from one of them.

#include <optional>
#include <string>

#include "sock/image.hpp"

#include "run_options.hpp"

namespace sockctl {

/// --image-store, or else as choose_store() says.
Result<std::string> image_store_dir(const std::string& option);
/// Makes the directories above it where they are missing.
Result<sock::ImageStore> open_image_store(const std::string& directory);

/// Fills in what the command line leaves open from the image's config: environment, command,
/// working directory, user. Pure. `identity` is what the config's user means. On failure: no
/// command, neither given nor in the image.
Result<RunOptions> with_image_config(RunOptions options, const sock::ImageConfig& config,
                                     const std::optional<sock::Identity>& identity);
/// Whether `run` takes its root from the image store.
bool uses_image(const RunOptions& options);

}  // namespace sockctl
