// The admission of SOCK's import cache, as a decision.

#include "zygote/growth.hpp"

#include <algorithm>
#include <iterator>

namespace sock::zygote {
namespace {

std::vector<Package> rest_of(std::span<const Package> declared,
                             const std::vector<Package>& imported) {
  std::vector<Package> all{declared.begin(), declared.end()};
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  std::vector<Package> rest;
  std::ranges::set_difference(all, imported, std::back_inserter(rest));
  return rest;
}

// Sorted by name first, so two versions of one package are neighbours.
bool contradicts(std::span<const Package> declared) {
  const auto all = rest_of(declared, {});
  return std::ranges::adjacent_find(all, {}, &Package::name) != all.end();
}

}  // namespace

std::expected<ImportNode, NoGrowth> plan_growth(const ImportTree& tree, const ImportCosts& costs,
                                                std::span<const Package> declared,
                                                const GrowthLimits& limits) {
  const auto match = tree.best_match(declared, costs);
  if (!match.has_value()) return std::unexpected(NoGrowth::no_match);
  if (contradicts(declared)) return std::unexpected(NoGrowth::contradicting);

  ImportNode child{.parent = match->node};
  ImportTime saving{};
  bool all_known = true;
  for (const auto& package : rest_of(declared, tree.imported(match->node))) {
    const auto cost = costs.find(package);
    if (cost == costs.end()) {
      all_known = false;
    } else {
      const auto& known = cost->second;
      if (known.modules.empty() && known.time <= ImportTime{}) continue;
      saving += known.time;
      child.modules.insert(child.modules.end(), known.modules.begin(), known.modules.end());
    }
    child.packages.push_back(package);
  }
  if (child.packages.empty()) return std::unexpected(NoGrowth::hit);
  if (all_known && saving < limits.least_saving) return std::unexpected(NoGrowth::not_worth_it);
  if (tree.depth(match->node) >= std::min(limits.depth, ImportTree::most_depth))
    return std::unexpected(NoGrowth::too_deep);
  if (tree.nodes().size() >= std::min(limits.nodes, ImportTree::most_nodes))
    return std::unexpected(NoGrowth::full);
  return child;
}

}  // namespace sock::zygote
