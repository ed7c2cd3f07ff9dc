// A workload becomes a tree: number its packages, guess what else may come, choose the sets of
// packages that save most, and hang each below the one that it shares most with.

#include <algorithm>

#include "sock/zygote_plan.hpp"

#include "base/try.hpp"
#include "zygote/coverage.hpp"

namespace sock {
namespace {

using zygote::PackageSet;
using zygote::PackageTable;

constexpr std::size_t most_functions = 5000;  // different ones; of more, the most called

zygote::Calls calls_of(std::span<const WorkloadFunction> workload, const PackageTable& table) {
  zygote::Calls calls;
  for (const auto& function : workload)
    if (function.calls > 0) calls[table.set_of(function.requirements)] += function.calls;
  calls.erase(table.none());
  if (calls.size() <= most_functions) return calls;
  std::vector<double> counts;
  for (const auto& entry : calls) counts.push_back(entry.second);
  std::ranges::sort(counts, std::greater{});
  std::erase_if(calls, [&](const auto& entry) { return entry.second < counts[most_functions]; });
  while (calls.size() > most_functions) calls.erase(std::prev(calls.end()));
  return calls;
}

ImportNode node_of(const PackageSet& set, const PackageSet& parent_set, NodeId parent,
                   const PackageTable& table) {
  ImportNode node{.parent = parent};
  set.for_each([&](std::size_t number) {
    if (parent_set.contains(number)) return;
    node.packages.push_back(table.package(number));
    const auto& cost = table.cost(number);
    // What could not be measured could not be imported.
    if (cost.time > ImportTime{})
      node.modules.insert(node.modules.end(), cost.modules.begin(), cost.modules.end());
  });
  return node;
}

// A subset has fewer packages than what it is a subset of, so every parent is added before its
// children.
Result<ImportTree> arranged(std::vector<PackageSet> sets, const PackageTable& table) {
  std::ranges::sort(sets, [](const PackageSet& a, const PackageSet& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  ImportTree tree;
  std::vector<NodeId> nodes;
  const auto nothing = table.none();
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const PackageSet* parent_set = &nothing;
    NodeId parent = ImportTree::root;
    for (std::size_t j = 0; j < i; ++j) {
      if (!sets[j].is_subset_of(sets[i])) continue;
      if (table.bytes(sets[j]) < table.bytes(*parent_set)) continue;
      parent_set = &sets[j];
      parent = nodes[j];
    }
    nodes.push_back(SOCK_TRY(tree.add(node_of(sets[i], *parent_set, parent, table))));
  }
  return tree;
}

}  // namespace

Result<ImportTree> plan_import_tree(const ImportCosts& costs,
                                    std::span<const WorkloadFunction> workload,
                                    const PlanOptions& options) {
  if (options.nodes < 1 || options.nodes > ImportTree::most_nodes)
    return base::refuse(Errc::invalid_spec, Stage::validate,
                        std::to_string(options.nodes) + " nodes",
                        "from 1 to " + std::to_string(ImportTree::most_nodes));
  zygote::CoverageLimits limits{.sets = options.nodes - 1, .bytes = std::nullopt};
  if (options.memory_max.has_value()) {
    if (*options.memory_max < zygote_base_memory)
      return base::refuse(Errc::exhausted, Stage::validate, "the memory budget",
                          "the root alone takes " + std::to_string(zygote_base_memory) + " bytes");
    limits.bytes = static_cast<double>(*options.memory_max - zygote_base_memory);
  }
  const PackageTable table{costs, workload};
  const auto expected = zygote::expected_workload(calls_of(workload, table), table);
  return arranged(zygote::choose_sets(expected, table, limits), table);
}

}  // namespace sock
