#pragma once

// A compiled filter in the kernel's own form.

#include <vector>

#include <linux/filter.h>

#include "sock/seccomp.hpp"

namespace sock {

struct SeccompPolicy::Program {
  std::vector<sock_filter> instructions;
};

}  // namespace sock
