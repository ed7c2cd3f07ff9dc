#pragma once

// The sandbox that functions of an application share (SAND, USENIX ATC'18): for the pool one more
// function, which nobody can call by its name. Pure.

#include <cstdint>
#include <span>
#include <string>

#include "starter.hpp"

namespace sockd {

/// No function has such a name.
std::string sandbox_name(const std::string& application);
/// Whether its events are worked on in its application's sandboxes.
bool shares_sandbox(const Deployed& function);
/// One that sees all that its members see, and their code in /functions/NAME: the largest memory,
/// timeout and concurrency that one of them has are its own. It declares the packages of all, or
/// none, where two of them need different versions of one. `members`: at least one, all of one
/// application.
DeployedPtr sandbox_of(std::span<const DeployedPtr> members, std::uint64_t version);

}  // namespace sockd
