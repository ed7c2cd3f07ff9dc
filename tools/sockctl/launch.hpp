#pragma once

// The parts of a ContainerSpec that are no plain data: the root of an image, packages of the cache,
// the filter and the joined network.

#include "sock/image.hpp"
#include "sock/package_cache.hpp"

#include "run_options.hpp"

namespace sockctl {

struct Launch {
  sock::ContainerSpec spec;
  sock::UniqueFd network;  ///< Borrowed by the spec.
  // In use for as long as this lives:
  std::optional<sock::ImageRoot> image = {};
  std::optional<sock::PackagesInUse> packages = {};
  std::optional<sock::Prefetch> prefetch = {};  ///< Under way, of what the image's start reads.
};

/// to_spec(), completed. Its errors are mistakes on the command line (exit status 2), but for an
/// image, a package or a network namespace that cannot be opened.
Result<Launch> prepare_launch(const RunOptions& options, const Caller& caller);

}  // namespace sockctl
