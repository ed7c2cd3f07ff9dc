#pragma once

// The parts of a ContainerSpec that are no plain data: the filter and the joined network.

#include "run_options.hpp"

namespace sockctl {

struct Launch {
  sock::ContainerSpec spec;
  sock::UniqueFd network;  ///< Borrowed by the spec.
};

/// to_spec(), completed. Its errors are mistakes on the command line (exit status 2), but for a
/// network namespace that cannot be opened.
Result<Launch> prepare_launch(const RunOptions& options, const Caller& caller);

}  // namespace sockctl
