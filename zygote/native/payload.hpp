#pragma once

// A forked child of a native zygote becomes a container's payload.

#include "native/objects.hpp"

namespace sock::zygote {

/// What a child can do before it knows its work: a spare does it while it waits.
void prepare_payload(const Objects& objects) noexcept;

/// Waits for the work, becomes what it says, and runs the object that argv[0] names. Ends the
/// process.
[[noreturn]] void run_payload(int channel, const Objects& objects) noexcept;

}  // namespace sock::zygote
