#pragma once

// The starting half of a detached container.

#include "globals.hpp"
#include "run_options.hpp"

namespace sockctl {

/// Descriptor of the monitor that holds its lock; 0 brings the options, 1 takes the outcome.
inline constexpr int monitor_lock_fd = 3;
inline constexpr std::size_t options_max = 1U << 20U;

/// Starts a monitor, waits until it has started the container or failed to, and prints the name.
int run_detached(const Globals& globals, const RunOptions& options);

}  // namespace sockctl
