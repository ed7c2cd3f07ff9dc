#pragma once

// What holds for the objects and counters of an application, wherever they are kept: names, the
// quota, and the errors, which are the same everywhere. Pure.

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>

#include "try.hpp"

namespace sockd {

struct DataQuota {
  std::uint64_t bytes = 256ULL << 20U;                ///< Of an application's objects.
  std::size_t entries = 10'000;                       ///< Objects, and as many counters.
  std::chrono::milliseconds time_to_live{3'600'000};  ///< At most.

  /// What becomes of a time to live that somebody has asked for.
  [[nodiscard]] std::chrono::milliseconds allowed(std::chrono::milliseconds asked) const;
};

/// Which object or counter is meant. Both have names of their own.
struct DataName {
  std::string application;
  std::string name;
  auto operator<=>(const DataName&) const = default;
};

inline constexpr std::size_t most_data_name = 256;  ///< Bytes, whatever they are.

/// On failure: Errc::invalid_spec.
sock::Result<> check_data_name(const std::string& name);

std::unexpected<sock::Error> object_exists(const std::string& name);
std::unexpected<sock::Error> no_such_object(const std::string& name);
std::unexpected<sock::Error> quota_used_up(const std::string& name);
std::unexpected<sock::Error> no_room_here(const std::string& name);
std::unexpected<sock::Error> counter_overflows(const std::string& name);

}  // namespace sockd
