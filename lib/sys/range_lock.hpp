#pragma once

// Locks over single bytes of one file, between processes and threads: a file of locks costs no
// space, and a name that is a number needs no file of its own that somebody would have to remove.
// They belong to the open file (OFD locks), so the kernel drops them with the last descriptor.

#include <cstdint>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

enum class LockMode : std::uint8_t { shared, exclusive };

/// Takes the lock, or turns one that this open file has into the other mode.
/// Blocking: until nobody else is in the way.
Result<> lock_byte(FdRef file, std::uint64_t offset, LockMode mode);
/// True when it was taken, false when somebody else is in the way.
Result<bool> try_lock_byte(FdRef file, std::uint64_t offset, LockMode mode);
Result<> unlock_byte(FdRef file, std::uint64_t offset);

}  // namespace sock::sys
