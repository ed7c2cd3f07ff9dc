#pragma once

// The network namespace that the caller is in.

#include "sock/result.hpp"

namespace sock::sys {

/// For the work of run_in_child(), in a namespace of its own.
Result<> bring_up_loopback();

}  // namespace sock::sys
