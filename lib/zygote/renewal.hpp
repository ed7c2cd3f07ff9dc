#pragma once

// When to replace what has lived long enough, and how many replicas of a busy zygote to keep.
// Decisions from observed figures; nothing here has a clock.

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace sock::zygote {

/// Siblings share the layout of their address space and the seed of their hashes: limits on how
/// long and how often an attacker may look at the same ones.
struct RecyclingLimits {
  std::chrono::seconds age = std::chrono::hours{1};
  std::uint64_t forks = 10'000;
  std::size_t at_once = 1;  ///< The others go on serving.
};

/// A zygote domain, or a zygote together with its descendants: they inherit its layout.
struct Recyclable {
  std::uint32_t id;
  std::chrono::duration<double> age;
  std::uint64_t forks;
};

/// The ids that are due, the most overdue first, at most `at_once`. A limit of zero is always
/// reached.
std::vector<std::uint32_t> due_for_recycling(std::span<const Recyclable> all,
                                             const RecyclingLimits& limits);

struct ForkLoad {
  double forks_per_second;                  ///< Observed, over all replicas.
  std::chrono::duration<double> fork_time;  ///< For which one fork keeps a zygote busy.
  std::size_t replicas;                     ///< Now.
};

/// How many replicas a zygote should have, from 1 to `most`, so that a request waits on average no
/// longer for its turn than for the fork itself. Grows at once, shrinks with some slack.
std::size_t replicas_for(const ForkLoad& load, std::size_t most);

}  // namespace sock::zygote
