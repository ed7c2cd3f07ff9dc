#pragma once

// The stdio of a payload in a request: descriptors beside the message, named in it; or a terminal
// of some size, which whoever starts the payload makes.

#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sock/spec.hpp"

#include "channel.hpp"

namespace sockctl {

/// Adds "fds" and "terminal" to a request, and gives the descriptors to send with it.
std::vector<sock::FdRef> put_stdio(nlohmann::json& request, const sock::Stdio& stdio);
/// Borrows the message's descriptors. May throw nlohmann::json::exception.
Result<sock::Stdio> stdio_of(const nlohmann::json& request, const Message& message);

}  // namespace sockctl
