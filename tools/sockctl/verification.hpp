#pragma once

// What `verify` of images, packages and snapshots says.

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "sock/image.hpp"

#include "globals.hpp"

namespace sockctl {

/// Prints what was found of `subject`, and each problem on stderr; for machines, added to
/// `identity`. Gives the exit status: 0 when all is `as_it_was` ("as imported"), else 1.
Result<int> report_verification(Format format, nlohmann::json identity, const std::string& subject,
                                const sock::Verification& found, const char* as_it_was);

}  // namespace sockctl
