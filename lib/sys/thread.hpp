#pragma once

// A thread for the length of one call: none of the program's signal handlers runs in it.

#include <functional>
#include <thread>

#include "sock/result.hpp"

namespace sock::sys {

/// Starts `work` with every signal blocked. `work` must not throw.
/// On failure: Errc::exhausted.
Result<std::jthread> start_thread(std::function<void()> work);

}  // namespace sock::sys
