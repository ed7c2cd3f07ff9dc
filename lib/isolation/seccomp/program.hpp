#pragma once

// A compiled filter in the kernel's own form.

#include <memory>
#include <vector>

#include <linux/filter.h>

#include "sock/seccomp.hpp"

namespace sock {

struct SeccompPolicy::Program {
  std::vector<sock_filter> instructions;

  /// A filter that was compiled before, and kept as its instructions.
  static SeccompPolicy policy_of(std::vector<sock_filter> instructions) {
    return SeccompPolicy{std::make_shared<const Program>(Program{std::move(instructions)})};
  }
};

}  // namespace sock
