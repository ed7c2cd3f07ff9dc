#pragma once

// The sandbox that functions of an application with the same packages share (SAND, USENIX ATC'18):
// for the pool one more function, which nobody can call by its name. Pure.

#include <cstdint>
#include <span>
#include <string>

#include "starter.hpp"

namespace sockd {

/// Whether its events are worked on in a sandbox that it shares.
bool shares_sandbox(const Deployed& function);
/// In which one: those of an application that declare the same packages have one. A zygote of more
/// would have imported what one of them does not ask for, and hide its own modules of that name. No
/// function has such a name.
std::string sandbox_name(const Deployed& function);
/// One that sees all that its members see, and their code in /functions/NAME: the largest memory,
/// timeout and concurrency that one of them has are its own. `members`: at least one, all of one
/// sandbox_name().
DeployedPtr sandbox_of(std::span<const DeployedPtr> members, std::uint64_t version);

}  // namespace sockd
