#pragma once

// What a command line says of limits. Pure.

#include "sock/spec.hpp"

#include "run_options.hpp"

namespace sockctl {

/// `limits` (the defaults, or a snapshot's) with those that the options name instead.
Result<sock::Resources> limits_over(sock::Resources limits, const RunOptions& options);

}  // namespace sockctl
