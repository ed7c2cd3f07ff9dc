#pragma once

// What `zygote doctor` concludes from what it has looked at. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sockctl {

struct Finding {
  enum class Outcome : std::uint8_t { ok, degraded, failed };
  std::string name;
  Outcome outcome;
  std::string found;
  std::string remedy = {};
  friend bool operator==(const Finding&, const Finding&) = default;
};
[[nodiscard]] const char* to_string(Finding::Outcome outcome);

/// From /proc/PID/status of the zygote: one thread, no way to gain privilege, a filter.
std::vector<Finding> judge_status(std::string_view status);
/// From its uid_map: its root is nobody outside.
Finding judge_uid_map(std::string_view uid_map);
/// From what its descriptors are: standard ones, its channel, and what modules left open.
Finding judge_descriptors(const std::vector<std::string>& targets);
/// From what two siblings print: "NAME VALUE" lines that must all differ.
Finding judge_siblings(std::string_view one, std::string_view other);

}  // namespace sockctl
