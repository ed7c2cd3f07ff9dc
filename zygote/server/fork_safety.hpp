#pragma once

// What a package may leave behind that a fork would break, or share between containers.

namespace sock::zygote {

/// What of it this process has now, as the end of a sentence: "has started a thread". nullptr when
/// it may be forked. The text stays until the next call.
const char* unsafe_to_fork() noexcept;

}  // namespace sock::zygote
