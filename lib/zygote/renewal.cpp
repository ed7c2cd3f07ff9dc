// Recycling and replicas.

#include "zygote/renewal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sock::zygote {
namespace {

// Of the limit; 1 and more is due.
double share(double used, double limit) {
  return limit > 0 ? used / limit : std::numeric_limits<double>::infinity();
}

double overdue(const Recyclable& one, const RecyclingLimits& limits) {
  const std::chrono::duration<double> age = limits.age;
  return std::max(share(one.age.count(), age.count()),
                  share(static_cast<double>(one.forks), static_cast<double>(limits.forks)));
}

// Forks take about equal times and requests come at random: an M/D/1 queue, whose mean wait is
// u / (2 (1 - u)) fork times at utilisation u. It is one fork time at two thirds.
constexpr double most_utilisation = 2.0 / 3;
// A replica fewer must leave room, or the next burst would start it again.
constexpr double shrinking_utilisation = 1.0 / 3;

// Of enough replicas for that many zygotes' worth of work.
std::size_t enough(double busy, double utilisation, std::size_t most) {
  const double wanted = std::ceil(busy / utilisation);
  if (wanted >= static_cast<double>(most)) return most;
  return std::max<std::size_t>(static_cast<std::size_t>(wanted), 1);
}

}  // namespace

std::vector<std::uint32_t> due_for_recycling(std::span<const Recyclable> all,
                                             const RecyclingLimits& limits) {
  std::vector<std::pair<double, std::uint32_t>> due;
  for (const auto& one : all)
    if (const double by = overdue(one, limits); by >= 1) due.emplace_back(-by, one.id);
  std::ranges::sort(due);
  if (due.size() > limits.at_once) due.resize(limits.at_once);
  std::vector<std::uint32_t> ids;
  for (const auto& entry : due) ids.push_back(entry.second);
  return ids;
}

std::size_t replicas_for(const ForkLoad& load, std::size_t most) {
  most = std::max<std::size_t>(most, 1);
  const double busy = load.forks_per_second * load.fork_time.count();
  const auto now = std::clamp<std::size_t>(load.replicas, 1, most);
  if (!std::isfinite(busy) || busy < 0) return now;  // Not a measurement: change nothing.
  const auto needed = enough(busy, most_utilisation, most);
  if (needed >= now) return needed;
  return std::min(now, enough(busy, shrinking_utilisation, most));
}

}  // namespace sock::zygote
