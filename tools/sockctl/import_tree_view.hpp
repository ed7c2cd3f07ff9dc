#pragma once

// Import trees for people and machines: files in, tables and files out.

#include <string>
#include <vector>

#include "sock/zygote_plan.hpp"

#include "try.hpp"

namespace sockctl {

enum class TreeFormat : std::uint8_t { table, json, openlambda };
Result<TreeFormat> tree_format_of(const std::string& text);

/// Each reads a whole file; "-" is stdin. Errors name the file.
Result<sock::ImportCosts> read_import_costs(const std::string& path);
Result<std::vector<sock::WorkloadFunction>> read_workload(const std::string& path);
/// A costs file as it is.
Result<std::string> read_text(const std::string& path);
/// In either format.
Result<sock::ImportTree> read_import_tree(const std::string& path);

/// One row for each node, children below their parents.
Result<std::string> tree_table(const sock::ImportTree& tree, const sock::ImportCosts& costs);
Result<std::string> tree_text(TreeFormat format, const sock::ImportTree& tree,
                              const sock::ImportCosts& costs);
/// "40 nodes, 253.2 MiB: 16.9 s of 113.5 s of imports remain in 881 calls, ..."
std::string forecast_line(const sock::ImportTree& tree, const sock::ImportForecast& forecast);

}  // namespace sockctl
