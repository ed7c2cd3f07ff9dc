// Bookkeeping of living zygotes.

#include "zygote/population.hpp"

#include <algorithm>
#include <cmath>

#include "sys/process.hpp"
#include "zygote/renewal.hpp"

namespace sock::zygote {
namespace {

using Time = Population::Time;

// One that has lived so long was not born broken.
constexpr auto proof = std::chrono::minutes{1};

// Doubled with each failure in a row: a module that never imports is not tried all the time.
std::chrono::seconds rest_after(unsigned failures) {
  constexpr unsigned most_doublings = 9;
  return std::chrono::seconds{1U << std::min(failures - 1, most_doublings)};
}

bool has_ended(const Zygote& zygote) {
  const auto ended = sys::wait_readable(zygote.pidfd(), std::chrono::steady_clock::now());
  return !ended.has_value() || *ended;
}

}  // namespace

Population::Resident* Population::find(NodeId node) {
  const auto place = residents_.find(node);
  return place != residents_.end() ? &place->second : nullptr;
}

Population::Lease Population::borrow(NodeId node) {
  const std::scoped_lock lock{mutex_};
  Resident* const resident = find(node);
  if (resident == nullptr || resident->replicas.empty()) return Lease{nullptr, GiveBack{this}};
  const auto least = std::ranges::min_element(resident->replicas, {},
                                              [](const auto& replica) { return replica->forking; });
  ++(*least)->forking;
  return Lease{least->get(), GiveBack{this}};
}

void Population::give_back(Replica& replica) {
  const std::scoped_lock lock{mutex_};
  if (--replica.forking > 0 || !replica.retired) return;
  std::erase_if(leaving_, [&](const auto& leaving) { return leaving.get() == &replica; });
}

void Population::retire(Resident& resident, Replica& replica) {
  const auto place = std::ranges::find_if(
      resident.replicas, [&](const auto& candidate) { return candidate.get() == &replica; });
  if (place == resident.replicas.end()) return;
  replica.retired = true;
  auto leaving = std::move(*place);
  resident.replicas.erase(place);
  if (leaving->forking > 0) leaving_.push_back(std::move(leaving));
}

void Population::fail(Resident& resident, std::string reason, Time now) {
  resident.failure = std::move(reason);
  resident.rests_until = now + rest_after(++resident.failures);
}

void Population::condemn(Replica& replica, std::string reason, Time now) {
  const std::scoped_lock lock{mutex_};
  if (replica.retired) return;
  // Whoever else waits for an answer of it learns at once.
  static_cast<void>(replica.that.zygote.kill().has_value());
  Resident* const resident = find(replica.node);
  if (resident == nullptr) return;
  if (now - replica.born > proof) resident->failures = 0;
  fail(*resident, std::move(reason), now);
  retire(*resident, replica);
}

void Population::count_hit(NodeId node, std::chrono::nanoseconds fork_time, Time now) {
  const std::scoped_lock lock{mutex_};
  ++forks_since_renewal_;
  Resident* const resident = find(node);
  if (resident == nullptr) return;
  resident->hits.add(now);
  ++resident->forks;
  constexpr double weight = 0.1;
  const std::chrono::duration<double> latest = fork_time;
  resident->fork_time += weight * (latest - resident->fork_time);
}

void Population::count_hit_of_stored(NodeId node, Time now) {
  const std::scoped_lock lock{mutex_};
  Resident* const resident = find(node);
  if (resident == nullptr) return;
  resident->hits.add(now);
  ++resident->forks;
}

void Population::count_miss(NodeId node, Time now, double weight) {
  const std::scoped_lock lock{mutex_};
  if (Resident* const resident = find(node)) resident->misses.add(now, weight);
}

void Population::expect(NodeId node, ImportTime import_time, std::uint64_t memory) {
  const std::scoped_lock lock{mutex_};
  auto& resident = residents_[node];
  resident.import_time = import_time;
  resident.own_memory = memory;
}

void Population::move_in(NodeId node, Newcomer newcomer, Time now) {
  const std::scoped_lock lock{mutex_};
  auto& resident = residents_[node];
  resident.import_time = newcomer.import_time;
  resident.own_memory = newcomer.own_memory;
  resident.private_memory.reset();
  resident.failure.clear();
  resident.misses = DecayingCount{half_life};
  resident.rests_until = {};
  if (node == ImportTree::root) forks_since_renewal_ = 0;
  resident.replicas.push_back(
      std::make_unique<Replica>(Replica{.that = std::move(newcomer), .node = node, .born = now}));
}

void Population::note_failure(NodeId node, std::string reason, Time now) {
  const std::scoped_lock lock{mutex_};
  if (Resident* const resident = find(node)) fail(*resident, std::move(reason), now);
}

void Population::retire_older(NodeId node, std::uint32_t generation) {
  const std::scoped_lock lock{mutex_};
  auto& resident = residents_[node];
  for (std::size_t i = resident.replicas.size(); i-- > 0;)
    if (resident.replicas[i]->that.generation != generation)
      retire(resident, *resident.replicas[i]);
}

void Population::retire_one(NodeId node) {
  const std::scoped_lock lock{mutex_};
  auto& resident = residents_[node];
  if (!resident.replicas.empty()) retire(resident, *resident.replicas.back());
}

void Population::retire_all(NodeId node) {
  const std::scoped_lock lock{mutex_};
  auto& resident = residents_[node];
  while (!resident.replicas.empty()) retire(resident, *resident.replicas.back());
}

void Population::forget(NodeId node) {
  retire_all(node);
  const std::scoped_lock lock{mutex_};
  residents_.erase(node);
}

void Population::clear() {
  const std::scoped_lock lock{mutex_};
  for (auto& entry : residents_)
    while (!entry.second.replicas.empty()) retire(entry.second, *entry.second.replicas.back());
}

void Population::bury(Time now) {
  const std::scoped_lock lock{mutex_};
  for (auto& [node, resident] : residents_)
    for (std::size_t i = resident.replicas.size(); i-- > 0;) {
      auto& replica = *resident.replicas[i];
      if (!has_ended(replica.that.zygote)) continue;
      if (now - replica.born > proof) resident.failures = 0;
      fail(resident, "it has died", now);
      // Whoever was served by it is to be served again.
      if (resident.hits.at(now) > 0) resident.misses.add(now);
      retire(resident, replica);
    }
}

void Population::note_private_memory(NodeId node, std::uint64_t bytes) {
  const std::scoped_lock lock{mutex_};
  if (Resident* const resident = find(node)) resident->private_memory = bytes;
}

NodeState Population::state_of(NodeId node, const Resident& resident, std::size_t replicas_max,
                               Time now) {
  NodeState state{.node = node,
                  .replicas = resident.replicas.size(),
                  .resting = now < resident.rests_until,
                  .misses = resident.misses.at(now),
                  .use = {.node = node,
                          .hits = resident.hits.at(now),
                          .import_time = resident.import_time,
                          .private_memory = resident.private_memory,
                          .own_memory = resident.own_memory}};
  if (resident.replicas.empty()) return state;
  state.generation = resident.replicas.front()->that.generation;
  state.replicas_wanted = replicas_for({.forks_per_second = resident.hits.rate(now),
                                        .fork_time = resident.fork_time,
                                        .replicas = resident.replicas.size()},
                                       replicas_max);
  const bool busy =
      std::ranges::any_of(resident.replicas, [](const auto& r) { return r->forking > 0; });
  if (busy) state.use.standing = ZygoteUse::Standing::busy;
  return state;
}

CacheState Population::state(const ImportTree& tree, std::uint64_t memory_max,
                             std::size_t replicas_max, Time now) {
  const std::scoped_lock lock{mutex_};
  CacheState state{.memory_max = memory_max};
  for (const auto& entry : tree.nodes())
    state.nodes.push_back(state_of(entry.first, residents_[entry.first], replicas_max, now));
  return state;
}

std::vector<CachedZygote> Population::describe(const ImportTree& tree, Time now) const {
  const std::scoped_lock lock{mutex_};
  std::vector<CachedZygote> all;
  for (const auto& [id, node] : tree.nodes()) {
    const auto place = residents_.find(id);
    if (place == residents_.end()) {
      all.push_back({.name = node.name});
      continue;
    }
    const Resident& resident = place->second;
    all.push_back({.name = node.name,
                   .replicas = resident.replicas.size(),
                   .hits = resident.hits.at(now),
                   .misses = resident.misses.at(now),
                   .forks = resident.forks,
                   .import_time = resident.import_time,
                   .memory = resident.own_memory,
                   .failure = resident.failure});
  }
  return all;
}

std::uint64_t Population::forks_since_renewal() const {
  const std::scoped_lock lock{mutex_};
  return forks_since_renewal_;
}

std::optional<Time> Population::end_of_rest(Time now) const {
  const std::scoped_lock lock{mutex_};
  std::optional<Time> earliest;
  for (const auto& entry : residents_) {
    const auto& resident = entry.second;
    const bool matters = resident.misses.at(now) > 0 || entry.first == ImportTree::root;
    if (matters && resident.rests_until > now && (!earliest || resident.rests_until < *earliest))
      earliest = resident.rests_until;
  }
  return earliest;
}

}  // namespace sock::zygote
