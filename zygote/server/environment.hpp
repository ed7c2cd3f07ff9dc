#pragma once

// The strings that the kernel put on a zygote's first stack. /proc/PID/environ shows them as long
// as the process lives, and so would show a container what its zygote was started with.

namespace sock::zygote {

/// Notes where they are: once, before anything is changed in `environ`.
void note_first_environment() noexcept;

/// Wipes them. Nothing may refer to them any more.
void forget_first_environment() noexcept;

}  // namespace sock::zygote
