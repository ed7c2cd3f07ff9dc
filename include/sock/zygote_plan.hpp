#pragma once

// Planning an import tree from a workload, as Forklift does (Yang et al., WoSC'24), and predicting
// what a tree will save. Pure functions: the same input gives the same tree, on every machine.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sock/import_tree.hpp"

namespace sock {

/// One function of a workload.
struct WorkloadFunction {
  std::string name;
  std::vector<Package> requirements;      ///< All that it declares, dependencies included.
  std::vector<std::string> modules = {};  ///< The modules that it names in its imports.
  double calls = 1;
};

/// Measured costs, in the form of Forklift's packages.json:
/// {"NAME":{"versions":{"VERSION":{"top":["MODULE"],"cost":{"ms":1.5,"mb":0.2}}}}}.
/// On failure: Errc::corrupt with the package as subject. Input may be hostile.
[[nodiscard]] Result<ImportCosts> parse_import_costs(std::string_view json);
/// A workload in the form of Forklift's w1.json:
/// {"funcs":[{"name":...,"meta":{"requirements_txt":...,
/// "import_mods":[...]}}],"calls":[{"name":...}]}. Without "calls", each function is called once.
/// Requirements without an exact version (options, addresses) are left out: they match no zygote.
/// On failure: Errc::corrupt with the function as subject. Input may be hostile.
[[nodiscard]] Result<std::vector<WorkloadFunction>> parse_workload(std::string_view json);

/// What a zygote holds for itself before it imports anything: page tables, stacks, written heap.
inline constexpr std::uint64_t zygote_base_memory = 1UL << 20U;

struct PlanOptions {
  std::size_t nodes;                             ///< At most; the root counts.
  std::optional<std::uint64_t> memory_max = {};  ///< Bytes of all zygotes together.
};

/// A tree for functions that are like these, not only for these: what a function declares is taken
/// as a sample of what users combine. See docs/decisions/import-tree-planner.md. On failure:
/// Errc::invalid_spec (no node, or more than ImportTree::most_nodes), exhausted (the budget does
/// not hold the root).
[[nodiscard]] Result<ImportTree> plan_import_tree(const ImportCosts& costs,
                                                  std::span<const WorkloadFunction> workload,
                                                  const PlanOptions& options);

/// What a workload would still import, were every call forked from its best match in the tree.
struct ImportForecast {
  double calls = 0;
  ImportTime without_tree{};     ///< Of all that the calls' functions declare.
  ImportTime remaining{};        ///< Of that, what no zygote has imported.
  ImportTime remaining_named{};  ///< Of that, the packages whose modules the functions name.
  double complete = 0;           ///< Calls with nothing of known cost left to import.
  std::uint64_t memory =
      0;  ///< Bytes of the whole tree, zygote_base_memory for each node included.
};
[[nodiscard]] ImportForecast forecast(const ImportTree& tree, const ImportCosts& costs,
                                      std::span<const WorkloadFunction> workload);

}  // namespace sock
