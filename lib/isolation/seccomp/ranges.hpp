#pragma once

// A rule set as ranges of numbers that get the same answer: what a search needs to know. Pure.
// The ranges cover every 32-bit number; numbers that no rule names form ranges of their own.

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "isolation/seccomp/profile.hpp"

namespace sock::seccomp {

/// From `first` up to the next range's first, or to the highest number.
struct Range {
  std::uint32_t first;
  std::uint32_t answer;                      ///< SECCOMP_RET_*, when no case holds.
  std::span<const ArgumentCase> cases = {};  ///< Not empty: a single number, its arguments decide.
};

/// The kernel's form of a verdict.
[[nodiscard]] std::uint32_t return_value(Verdict verdict) noexcept;

/// Ascending, the first at 0; neighbours without cases differ in their answers. Numbers that the
/// rules do not name get `unknown`, those of x32 (x86-64 only) kill the process.
[[nodiscard]] std::vector<Range> ranges_of(const std::map<int, Rule>& rules);

}  // namespace sock::seccomp
