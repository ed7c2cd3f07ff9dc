#pragma once

// Starting one of our own programs that puts itself into the background: nothing of the caller's
// (signal mask and handlers, stdio, descriptors, session) reaches it but what is named here.

#include <span>
#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

/// Runs `arguments[0]`, an absolute path, in a session of its own with /dev/null as stdio, an empty
/// environment and `descriptors` as 3, 4, ...; and waits until that process has ended: with 0 is
/// success, with anything else Errc::launch_failed. A program whose children are reaped elsewhere
/// (SIGCHLD ignored) counts as success.
/// Safe from any thread of a large process (vfork). Blocking: until the program has forked.
Result<> run_daemon(std::span<const std::string> arguments, std::span<const FdRef> descriptors);

}  // namespace sock::sys
