// Reading of counters.

#include "isolation/cgroup/counters.hpp"

#include <chrono>

#include "base/try.hpp"
#include "isolation/cgroup/flat_keyed.hpp"

namespace sock::isolation {
namespace {

using std::chrono::nanoseconds;
using Amount = std::optional<std::uint64_t>;
using Time = std::optional<nanoseconds>;

Time to_time(Amount amount, std::uint64_t nanoseconds_each) {
  if (!amount) return {};
  return nanoseconds{static_cast<nanoseconds::rep>(*amount * nanoseconds_each)};
}

/// A file that this kernel does not have counts nothing.
Result<std::string> read_if_there(const Leaf& leaf, const char* file, FileUse use = FileUse::read) {
  auto text = leaf.read(file, use);
  if (!text && (text.error().code == Errc::not_found || text.error().code == Errc::denied))
    return std::string{};
  return text;
}

Result<Amount> read_number(const Leaf& leaf, const char* file, FileUse use = FileUse::read) {
  return parse_number(SOCK_TRY(read_if_there(leaf, file, use)));
}

Result<> read_cpu(const Branch& branch, const Leaf& leaf, Throttling throttling, Stats& stats) {
  if (branch.version == CgroupVersion::v2) {
    if (!branch.has(Controller::cpuacct)) return {};
    const std::string text = SOCK_TRY(read_if_there(leaf, "cpu.stat"));
    merge(stats, parse_cpu_stat_v2(text));
    return {};
  }
  // v1 counts nothing else in this file, so it need not be read in vain.
  if (branch.has(Controller::cpu) && throttling == Throttling::possible) {
    const std::string text = SOCK_TRY(read_if_there(leaf, "cpu.stat"));
    merge(stats, parse_cpu_stat_v1(text));
  }
  if (branch.has(Controller::cpuacct)) {
    const Amount total = SOCK_TRY(read_number(leaf, "cpuacct.usage"));
    const Amount user = SOCK_TRY(read_number(leaf, "cpuacct.usage_user"));
    const Amount system = SOCK_TRY(read_number(leaf, "cpuacct.usage_sys"));
    stats.cpu_total = to_time(total, 1);
    stats.cpu_user = to_time(user, 1);
    stats.cpu_system = to_time(system, 1);
  }
  return {};
}

Result<> read_memory(const Branch& branch, const Leaf& leaf, Stats& stats) {
  if (!branch.has(Controller::memory)) return {};
  if (branch.version == CgroupVersion::v2) {
    stats.memory_current = SOCK_TRY(read_number(leaf, "memory.current"));
    stats.memory_peak = SOCK_TRY(read_number(leaf, "memory.peak", FileUse::both));
    if (!stats.memory_peak) stats.memory_peak = SOCK_TRY(read_number(leaf, "memory.peak"));
    return {};
  }
  stats.memory_current = SOCK_TRY(read_number(leaf, "memory.usage_in_bytes"));
  stats.memory_peak = SOCK_TRY(read_number(leaf, "memory.max_usage_in_bytes", FileUse::both));
  return {};
}

template <class T>
void merge_field(std::optional<T>& total, const std::optional<T>& added) {
  if (added) total = added;
}

template <class T>
void subtract(std::optional<T>& now, const std::optional<T>& before) {
  if (now && before) *now = *now > *before ? *now - *before : T{};
}

}  // namespace

Stats parse_cpu_stat_v2(std::string_view text) {
  Stats stats;
  stats.cpu_total = to_time(find_value(text, "usage_usec"), 1000);
  stats.cpu_user = to_time(find_value(text, "user_usec"), 1000);
  stats.cpu_system = to_time(find_value(text, "system_usec"), 1000);
  stats.cpu_throttled = to_time(find_value(text, "throttled_usec"), 1000);
  return stats;
}

Stats parse_cpu_stat_v1(std::string_view text) {
  Stats stats;
  stats.cpu_throttled = to_time(find_value(text, "throttled_time"), 1);
  return stats;
}

Result<std::optional<std::uint64_t>> read_oom_kills(const Branch& branch, const Leaf& leaf) {
  if (!branch.has(Controller::memory)) return Amount{};
  const char* const file =
      branch.version == CgroupVersion::v2 ? "memory.events" : "memory.oom_control";
  const std::string text = SOCK_TRY(read_if_there(leaf, file));
  return find_value(text, "oom_kill");
}

Result<Stats> read_running_counters(const Branch& branch, const Leaf& leaf, Throttling throttling) {
  Stats stats;
  stats.oom_kills = SOCK_TRY(read_oom_kills(branch, leaf));
  SOCK_TRY(read_cpu(branch, leaf, throttling, stats));
  return stats;
}

Result<Stats> read_counters(const Branch& branch, const Leaf& leaf) {
  Stats stats = SOCK_TRY(read_running_counters(branch, leaf, Throttling::possible));
  SOCK_TRY(read_memory(branch, leaf, stats));
  if (branch.has(Controller::pids))
    stats.pids_current = SOCK_TRY(read_number(leaf, "pids.current"));
  return stats;
}

Result<bool> holds_memory(const Branch& branch, const Leaf& leaf) {
  constexpr std::uint64_t most_inherited = 4U << 20U;
  if (!branch.has(Controller::memory)) return false;
  const bool is_v2 = branch.version == CgroupVersion::v2;
  const Amount all =
      SOCK_TRY(read_number(leaf, is_v2 ? "memory.current" : "memory.usage_in_bytes"));
  if (all.value_or(0) <= most_inherited) return false;
  // Most of it is pages of files on a disk, which the kernel takes back when they are in the way.
  const std::string text = SOCK_TRY(leaf.read_afresh("memory.stat"));
  return find_value(text, "shmem").value_or(0) > most_inherited;
}

Result<> reset_peak(const Branch& branch, const Leaf& leaf) {
  if (!branch.has(Controller::memory)) return {};
  // KERNEL: memory.peak can be reset since 6.12, for later reads by the same descriptor.
  const char* const file =
      branch.version == CgroupVersion::v2 ? "memory.peak" : "memory.max_usage_in_bytes";
  return leaf.write(file, "0", FileUse::both);
}

void merge(Stats& total, const Stats& added) {
  merge_field(total.memory_current, added.memory_current);
  merge_field(total.memory_peak, added.memory_peak);
  merge_field(total.oom_kills, added.oom_kills);
  merge_field(total.cpu_total, added.cpu_total);
  merge_field(total.cpu_user, added.cpu_user);
  merge_field(total.cpu_system, added.cpu_system);
  merge_field(total.cpu_throttled, added.cpu_throttled);
  merge_field(total.pids_current, added.pids_current);
}

Stats since(Stats now, const Stats& before) {
  subtract(now.oom_kills, before.oom_kills);
  subtract(now.cpu_total, before.cpu_total);
  subtract(now.cpu_user, before.cpu_user);
  subtract(now.cpu_system, before.cpu_system);
  subtract(now.cpu_throttled, before.cpu_throttled);
  return now;
}

}  // namespace sock::isolation
