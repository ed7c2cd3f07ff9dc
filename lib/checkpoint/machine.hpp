#pragma once

// What a snapshot needs of the machine that it is restored on.

#include <string>
#include <string_view>
#include <vector>

#include "sock/result.hpp"

namespace sock::checkpoint {

struct Machine {
  std::string kernel;        ///< "6.18.5"; not compared: CRIU restores across kernels.
  std::string architecture;  ///< "x86_64"
  std::vector<std::string> cpu_features = {};  ///< As the kernel names them, sorted.
};

/// This one.
Result<Machine> this_machine();

/// The words after "flags" (x86) or "Features" (arm64) of the first processor, sorted. Pure.
std::vector<std::string> parse_cpu_features(std::string_view cpuinfo);
/// A program chooses its code by the features it finds when it starts, and would go on using those
/// that are not here. On failure: Errc::unsupported with the reason. Pure.
Result<> require_compatible(const Machine& written_on, const Machine& here);

}  // namespace sock::checkpoint
