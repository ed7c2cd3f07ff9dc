#pragma once

// Ranges become classic BPF: a balanced search for the range of the system call's number, at whose
// leaves stand the answers and the checks of arguments.
//
// Written here because the time to install a filter grows with its length, and because libseccomp
// has neither ordered cases nor an "otherwise" per system call; see
// docs/decisions/seccomp-filter.md.

#include <span>
#include <vector>

#include <linux/filter.h>

#include "isolation/seccomp/ranges.hpp"

namespace sock::seccomp {

/// `ranges` as from ranges_of(), any number of them: the caller checks the length of the result.
/// A foreign architecture's entry (int 0x80) kills the process: numbers mean other calls there.
[[nodiscard]] std::vector<sock_filter> emit(std::span<const Range> ranges);

}  // namespace sock::seccomp
