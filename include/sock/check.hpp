#pragma once

// What this machine offers: the doctor behind `sockctl check`.

#include <cstdint>
#include <string>
#include <vector>

#include "sock/host.hpp"

namespace sock {

struct Check {
  enum class Outcome : std::uint8_t { ok, degraded, failed };
  std::string name;  ///< Stable: "detached_roots". Names a kernel feature for HostOptions::without.
  Outcome outcome;   ///< degraded: works, with the loss named. failed: containers cannot start.
  std::string detail = {};  ///< What was found.
  std::string lost = {};    ///< What is lost without it; empty when ok.
  std::string remedy = {};  ///< What to do; empty when ok.
};

/// Probes kernel features, cgroup layout and helper programs, and starts one container.
/// Nothing is changed. Blocking: some tens of milliseconds.
[[nodiscard]] std::vector<Check> check(const HostOptions& options);

}  // namespace sock
