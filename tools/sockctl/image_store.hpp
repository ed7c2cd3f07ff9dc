#pragma once

// Where images are kept, and a container's root and settings from one of them.

#include <optional>
#include <string>

#include "sock/image.hpp"

#include "run_options.hpp"

namespace sockctl {

struct ImageStoreEnvironment {
  std::optional<std::string> sock_image_store = {};  ///< SOCK_IMAGE_STORE
  std::optional<std::string> xdg_data_home = {};     ///< XDG_DATA_HOME
  std::optional<std::string> home = {};              ///< HOME
  uid_t uid = 0;
};
/// --image-store, SOCK_IMAGE_STORE, /var/lib/sock/images for root, XDG_DATA_HOME/sock/images.
Result<std::string> choose_image_store(const std::string& option,
                                       const ImageStoreEnvironment& environment);
/// The same for this process.
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
