// How the tree follows what requests declare.

#include <algorithm>

#include "sock/zygote_plan.hpp"

#include "zygote/growth.hpp"
#include "zygote/import_cache_impl.hpp"
#include "zygote/importing.hpp"

namespace sock {
namespace {

using zygote::GrowthLimits;
using zygote::NoGrowth;

ImportTime expected_time(const ImportNode& node, const ImportCosts& costs) {
  ImportTime total{};
  for (const auto& package : node.packages)
    if (const auto cost = costs.find(package); cost != costs.end()) total += cost->second.time;
  return total;
}

std::uint64_t expected_memory(const ImportNode& node, const ImportCosts& costs) {
  std::uint64_t total = zygote_base_memory;
  for (const auto& package : node.packages)
    if (const auto cost = costs.find(package); cost != costs.end()) total += cost->second.memory;
  return total;
}

}  // namespace

void ImportCache::Impl::expect_nodes(Time now) {
  // Enough for the last one to be still wanted when the first hundreds are up.
  constexpr double wanted = 16;
  for (const auto& [id, node] : tree.nodes()) {
    population.expect(id, expected_time(node, costs), expected_memory(node, costs));
    if (spec.start == TreeStart::ahead) population.count_miss(id, now, wanted);
  }
}

void ImportCache::Impl::grow_tree(Time now) {
  for (;;) {
    std::vector<Package> declared;
    {
      const std::scoped_lock lock{misses_mutex};
      if (misses.empty()) return;
      declared = std::move(misses.front());
      misses.pop_front();
    }
    grow_tree_for(declared, now);
  }
}

void ImportCache::Impl::grow_tree_for(const std::vector<Package>& declared, Time now) {
  const GrowthLimits limits{.nodes = spec.growth.nodes_max,
                            .depth = spec.growth.depth_max,
                            .least_saving = spec.growth.least_saving};
  const std::unique_lock lock{tree_mutex};
  auto child = zygote::plan_growth(tree, costs, declared, limits);
  if (!child.has_value() && child.error() == NoGrowth::full && make_room_in_tree(now))
    child = zygote::plan_growth(tree, costs, declared, limits);
  if (!child.has_value()) return;
  const bool all_known = std::ranges::all_of(
      child->packages, [&](const Package& package) { return costs.contains(package); });
  if (!all_known) child->modules.clear();  // Then they follow from the packages.
  const auto time = expected_time(*child, costs);
  const auto memory = expected_memory(*child, costs);
  const auto added = tree.add(std::move(*child));
  if (!added.has_value()) return;
  grown.insert(*added);
  population.expect(*added, time, memory);
  population.count_miss(*added, now);
}

// The least used of those that grew here and do not live now.
bool ImportCache::Impl::make_room_in_tree(Time now) {
  std::optional<NodeId> least;
  double least_use = 0;
  for (const auto& state : population.state(tree, spec.memory_max, 1, now).nodes) {
    const bool is_parent = std::ranges::any_of(
        tree.nodes(), [&](const auto& entry) { return entry.second.parent == state.node; });
    if (is_parent || state.replicas > 0 || !grown.contains(state.node)) continue;
    const double use = state.use.hits + state.misses;
    if (least.has_value() && use >= least_use) continue;
    least = state.node;
    least_use = use;
  }
  if (!least.has_value() || !tree.remove(*least).has_value()) return false;
  grown.erase(*least);
  population.forget(*least);
  if (shelf != nullptr) shelf->forget(*least);
  unstorable.erase(*least);
  forget_considered();
  return true;
}

// Its place is taken by a node without them; nobody tries them again.
void ImportCache::Impl::replace_unfit(NodeId id,
                                      const std::vector<std::pair<Package, std::string>>& unfit,
                                      Time now) {
  std::vector<Package> rest;
  {
    const std::unique_lock lock{tree_mutex};
    for (const auto& [package, reason] : unfit) costs[package] = {};
    const auto* node = tree.find(id);
    if (node == nullptr || !grown.contains(id)) return;
    rest = tree.imported(id);
    if (!tree.remove(id).has_value()) return;  // It has children: they wait for it, at rest.
    grown.erase(id);
  }
  population.forget(id);
  if (shelf != nullptr) shelf->drop(id);
  unstorable.erase(id);
  forget_considered();
  grow_tree_for(rest, now);
}

void ImportCache::Impl::learn(const ImportCosts& measured) {
  const std::unique_lock lock{tree_mutex};
  costs.insert(measured.begin(), measured.end());  // What was given is not overruled.
}

void ImportCache::Impl::forget_considered() {
  const std::scoped_lock lock{misses_mutex};
  considered.clear();
}

}  // namespace sock
