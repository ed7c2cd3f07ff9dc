// What a tree saves for a workload: every call is forked from its best match, and imports the rest.

#include <algorithm>
#include <set>

#include "sock/zygote_plan.hpp"

namespace sock {
namespace {

const PackageCost* find_cost(const ImportCosts& costs, const Package& package) {
  const auto place = costs.find(package);
  return place != costs.end() ? &place->second : nullptr;
}

bool names(const WorkloadFunction& function, const PackageCost& cost) {
  return std::ranges::any_of(cost.modules, [&](const std::string& module) {
    return std::ranges::find(function.modules, module) != function.modules.end();
  });
}

void add_function(ImportForecast& total, const WorkloadFunction& function,
                  const std::vector<Package>& imported, const ImportCosts& costs) {
  ImportTime remaining{};
  const std::set<Package> declared{function.requirements.begin(), function.requirements.end()};
  for (const auto& package : declared) {
    const auto* cost = find_cost(costs, package);
    if (cost == nullptr) continue;
    total.without_tree += function.calls * cost->time;
    if (std::ranges::binary_search(imported, package)) continue;
    remaining += cost->time;
    if (names(function, *cost)) total.remaining_named += function.calls * cost->time;
  }
  total.remaining += function.calls * remaining;
  total.calls += function.calls;
  if (remaining == ImportTime{}) total.complete += function.calls;
}

}  // namespace

ImportForecast forecast(const ImportTree& tree, const ImportCosts& costs,
                        std::span<const WorkloadFunction> workload) {
  ImportForecast total;
  for (const auto& entry : tree.nodes()) {
    total.memory += zygote_base_memory;
    for (const auto& package : entry.second.packages)
      if (const auto* cost = find_cost(costs, package)) total.memory += cost->memory;
  }
  for (const auto& function : workload) {
    const auto match = tree.best_match(function.requirements, costs);
    const auto imported = match.has_value() ? tree.imported(match->node) : std::vector<Package>{};
    add_function(total, function, imported, costs);
  }
  return total;
}

}  // namespace sock
