#pragma once

// What runs beside its parent in the same memory, the parent not suspended. It is compiled without
// sanitizers, as lib/child is: their bookkeeping per thread would be written by both at once.

namespace sock::sys {

/// Entry of a process that waits until the writers of a pipe are gone. `ends` is the pipe's
/// reader and writer, two int; both are copies here. Does not return.
void wait_at_gate(void* ends) noexcept;

}  // namespace sock::sys
