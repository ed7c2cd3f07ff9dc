#pragma once

// Changing what "/" is. Only for code that run_in_child() runs in a mount namespace of its own.

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

/// Attaches the detached mount and makes it the root; everything else leaves this namespace.
Result<> switch_root(FdRef mount);

}  // namespace sock::sys
