#pragma once

// What a group's files count. Counters of a reused group run on, so what its earlier users had is
// read when they have gone and subtracted later.

#include <cstdint>
#include <optional>
#include <string_view>

#include "sock/container.hpp"
#include "sock/result.hpp"

#include "isolation/cgroup/backend.hpp"
#include "isolation/cgroup/leaf.hpp"

namespace sock::isolation {

/// The counters in one branch's leaf: what the branch's controllers count, other fields empty.
/// memory_peak is the group's, not its present user's, unless reset_peak() has succeeded.
Result<Stats> read_counters(const Branch& branch, const Leaf& leaf);
/// Whether the group's tasks can have been throttled since its counters were last read.
enum class Throttling : std::uint8_t { ruled_out, possible };
/// Only those that run on and may have moved: CPU times and OOM kills.
Result<Stats> read_running_counters(const Branch& branch, const Leaf& leaf, Throttling throttling);
/// Empty where they are not counted.
Result<std::optional<std::uint64_t>> read_oom_kills(const Branch& branch, const Leaf& leaf);
/// Of an empty group: whether it is still charged for files in memory (tmpfs, memfd) that others
/// hold, and for more than its next user would be told nothing of.
[[nodiscard]] Result<bool> holds_memory(const Branch& branch, const Leaf& leaf);
/// Makes memory_peak count from now on. Success where the branch counts no memory.
Result<> reset_peak(const Branch& branch, const Leaf& leaf);

/// Fields of `added` that are not empty replace those of `total`.
void merge(Stats& total, const Stats& added);
/// Subtracts the running counters.
[[nodiscard]] Stats since(Stats now, const Stats& before);

/// Pure parts, by the text of v2's cpu.stat and v1's.
[[nodiscard]] Stats parse_cpu_stat_v2(std::string_view text);
[[nodiscard]] Stats parse_cpu_stat_v1(std::string_view text);

}  // namespace sock::isolation
