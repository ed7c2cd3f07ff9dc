#pragma once

// A descriptor that becomes readable at a time.

#include <chrono>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

/// On the steady clock, not armed yet.
Result<UniqueFd> make_timer();
/// Makes it unreadable until `at`; a time in the past is now.
Result<> arm_timer(FdRef timer, std::chrono::steady_clock::time_point at);

}  // namespace sock::sys
