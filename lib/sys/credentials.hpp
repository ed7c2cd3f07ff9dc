#pragma once

// The caller's own user and group. Only for code that runs in a process of its own
// (sys::WorkerSpec::prepare): the C library's functions would change all threads.

#include <sys/types.h>

#include "sock/result.hpp"

namespace sock::sys {

/// Effective and saved ids stay 0, and so do the capabilities.
Result<> set_real_ids(uid_t uid, gid_t gid);

}  // namespace sock::sys
