#pragma once

// What /proc tells of a process. The texts are understood by pure functions.

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "try.hpp"

namespace sockctl {

/// Whether a process with this status file catches or ignores the signal.
bool handles_signal(std::string_view status, int number);

/// "status", say, of a process; an error when it has gone.
Result<std::string> read_process_file(pid_t pid, const std::string& name);

}  // namespace sockctl
