#pragma once

// What `zygote doctor` concludes from what it has looked at. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "sock/check.hpp"

namespace sockctl {

struct Finding {
  using Outcome = sock::Check::Outcome;
  std::string name;
  Outcome outcome;
  std::string found;
  std::string remedy = {};
  friend bool operator==(const Finding&, const Finding&) = default;
};

/// From /proc/PID/status of the zygote: one thread, no way to gain privilege, a filter.
std::vector<Finding> judge_status(std::string_view status);
/// From its uid_map: its root is nobody outside.
Finding judge_uid_map(std::string_view uid_map);
/// From what its descriptors are: standard ones, its channel, and what modules left open.
Finding judge_descriptors(const std::vector<std::string>& targets);
/// From what two siblings print: "NAME VALUE" lines that must all differ.
Finding judge_siblings(std::string_view one, std::string_view other);

}  // namespace sockctl
