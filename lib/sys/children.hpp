#pragma once

// Who has made whom, as /proc tells it.

#include <vector>

#include <sys/types.h>

#include "sock/result.hpp"

namespace sock::sys {

/// Of all threads of a process; none when it has ended.
Result<std::vector<pid_t>> children_of(pid_t process);
/// Those that the calling thread has made, and that others have made its children (CLONE_PARENT).
Result<std::vector<pid_t>> children_of_this_thread();

/// Kills a child, which is still to be reaped, and reaps it.
void end_child(pid_t child) noexcept;

}  // namespace sock::sys
