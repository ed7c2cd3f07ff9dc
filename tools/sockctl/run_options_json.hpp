#pragma once

// The options of `run` from a request, for those that hold it as JSON already. Not by way of text:
// writing JSON recurses, and a request may be nested as deeply as it is long.

#include <nlohmann/json_fwd.hpp>

#include "run_options.hpp"

namespace sockctl {

/// On failure: Errc::corrupt, whatever the value is.
Result<RunOptions> run_options_of(const nlohmann::json& json);

}  // namespace sockctl
