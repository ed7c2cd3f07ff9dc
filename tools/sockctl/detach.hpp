#pragma once

// The starting half of a detached container.

#include "globals.hpp"
#include "run_options.hpp"

namespace sockctl {

/// Starts a monitor, waits until it has started the container or failed to, and prints the name.
/// Starts the monitor of a container, and waits until that runs.
Result<> start_monitor(const Globals& globals, const RunOptions& options);

int run_detached(const Globals& globals, const RunOptions& options);

}  // namespace sockctl
