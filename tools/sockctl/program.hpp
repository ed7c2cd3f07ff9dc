#pragma once

// Running another program, as a shell would.

#include <string>
#include <vector>

#include "try.hpp"

namespace sockctl {

/// Runs `arguments[0]`, found in PATH, in a directory, and gives what it writes to stdout; stderr
/// is ours. On failure: Errc::not_found, or Errc::launch_failed when it ends with anything but 0.
/// Blocking: until its end.
Result<std::string> run_program(const std::vector<std::string>& arguments,
                                const std::string& directory);

}  // namespace sockctl
