#pragma once

// Pseudo-terminals.

#include <cstdint>

#include <sys/types.h>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

/// Unlocks the master's other end and opens it, whatever mount namespace it is in.
Result<UniqueFd> open_peer(FdRef master);
Result<> set_window(FdRef master, std::uint16_t rows, std::uint16_t columns);

}  // namespace sock::sys
