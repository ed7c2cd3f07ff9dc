#pragma once

// From rules to the kernel's form: ranges of numbers, then a search among them.

#include <map>
#include <vector>

#include <linux/filter.h>

#include "sock/result.hpp"

#include "isolation/seccomp/profile.hpp"

namespace sock::seccomp {

/// A foreign architecture's entry (int 0x80, x32) kills the process: numbers mean other calls
/// there.
[[nodiscard]] Result<std::vector<sock_filter>> compile(const std::map<int, Rule>& rules);

}  // namespace sock::seccomp
