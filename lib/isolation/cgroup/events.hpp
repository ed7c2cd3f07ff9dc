#pragma once

// Asking and waiting for a state in a v2 group's cgroup.events.

#include <cstdint>
#include <string_view>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "sys/process.hpp"

namespace sock::isolation {

/// Whether `key` of the kept cgroup.events has `value` now.
Result<bool> event_holds(FdRef events, std::string_view key, std::uint64_t value);

/// True as soon as `key` of the kept cgroup.events has `value`, false at the deadline.
/// KERNEL: notifications come at most every 10 ms for one file, while most changes take 20 us. So
/// the file is read over and over for 50 us before the call sleeps.
Result<bool> wait_event(FdRef events, std::string_view key, std::uint64_t value,
                        sys::Deadline deadline);

}  // namespace sock::isolation
