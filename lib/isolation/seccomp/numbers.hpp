#pragma once

// Names of system calls. libseccomp knows most; a small table adds those newer than it.

#include <cstdint>
#include <string>
#include <string_view>

namespace sock::seccomp {

struct Number {
  enum class Known : std::uint8_t { here, elsewhere, nowhere };
  Known known;  ///< `elsewhere`: a system call of other architectures only.
  int value;    ///< Meaningful for `here`.
};

/// The number of a system call on this machine's native architecture.
[[nodiscard]] Number find_number(std::string_view name);

/// A known name one or two edits away; empty when there is none. Slow: for error messages.
[[nodiscard]] std::string find_similar_name(std::string_view name);

}  // namespace sock::seccomp
