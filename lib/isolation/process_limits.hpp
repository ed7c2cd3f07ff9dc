#pragma once

// Names of capabilities and resource limits, turned into the kernel's numbers.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sock/result.hpp"
#include "sock/spec.hpp"

namespace sock::isolation {

/// A set of capabilities, one bit each.
struct CapabilitySet {
  std::uint64_t bits = 0;
};
/// On failure: Stage::validate with the unknown name.
Result<CapabilitySet> find_capabilities(std::span<const unsafe::Capability> named);

struct ResourceLimit {
  int resource;
  std::uint64_t value;
};
/// The named limits, and core = 0 unless it is named. On failure: Stage::validate with the name.
Result<std::vector<ResourceLimit>> find_rlimits(std::span<const Rlimit> named);

}  // namespace sock::isolation
