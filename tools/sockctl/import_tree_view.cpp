// Reading import trees and what goes with them, and showing them.

#include "import_tree_view.hpp"

#include <map>

#include <fcntl.h>

#include <fmt/format.h>

#include "listing.hpp"
#include "posix.hpp"
#include "report.hpp"

namespace sockctl {
namespace {

constexpr std::size_t most_bytes = 256UL << 20U;
constexpr std::size_t most_packages_shown = 4;

template <class T>
Result<T> of_file(Result<T> parsed, const std::string& path) {
  if (!parsed.has_value()) parsed.error().subject = path + ": " + parsed.error().subject;
  return parsed;
}

std::string packages_text(const sock::ImportNode& node) {
  std::string text;
  std::size_t shown = 0;
  for (const auto& package : node.packages) {
    if (shown++ == most_packages_shown)
      return text + fmt::format(" and {} more", node.packages.size() - most_packages_shown);
    text += (text.empty() ? "" : " ") + package.to_string();
  }
  return text.empty() ? "-" : text;
}

class Rows {
 public:
  Rows(const sock::ImportTree& tree, const sock::ImportCosts& costs) : tree_{tree}, costs_{costs} {
    for (const auto& [id, node] : tree.nodes())
      if (node.parent.has_value()) children_[*node.parent].push_back(id);
    add(sock::ImportTree::root, 0);
  }
  std::vector<std::vector<std::string>> take() { return std::move(rows_); }

 private:
  // As deep as the tree, which is bounded.
  void add(sock::NodeId id, std::size_t depth) {
    const auto& node = *tree_.find(id);
    sock::ImportTime time{};
    std::uint64_t memory = 0;
    for (const auto& package : node.packages) {
      const auto cost = costs_.find(package);
      if (cost == costs_.end()) continue;
      time += cost->second.time;
      memory += cost->second.memory;
    }
    const bool known = !costs_.empty();
    rows_.push_back({std::string(2 * depth, ' ') + node.name,
                     known ? fmt::format("{:.1f} ms", time.count()) : "-",
                     known ? human_size(memory) : "-", packages_text(node)});
    for (const auto child : children_[id]) add(child, depth + 1);
  }

  const sock::ImportTree& tree_;
  const sock::ImportCosts& costs_;
  std::map<sock::NodeId, std::vector<sock::NodeId>> children_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace

Result<std::string> read_text(const std::string& path) {
  if (path == "-") return read_all(sock::FdRef{0}, most_bytes);
  const auto file = SOCKCTL_TRY(open_at(here, path, O_RDONLY | O_NOCTTY));
  return read_all(file.ref(), most_bytes);
}

Result<TreeFormat> tree_format_of(const std::string& text) {
  if (text == "table") return TreeFormat::table;
  if (text == "json") return TreeFormat::json;
  if (text == "openlambda") return TreeFormat::openlambda;
  return refuse_option("--format", text, "one of table, json, openlambda");
}

Result<sock::ImportCosts> read_import_costs(const std::string& path) {
  const auto text = SOCKCTL_TRY(read_text(path));
  return of_file(sock::parse_import_costs(text), path);
}

Result<std::vector<sock::WorkloadFunction>> read_workload(const std::string& path) {
  const auto text = SOCKCTL_TRY(read_text(path));
  return of_file(sock::parse_workload(text), path);
}

Result<sock::ImportTree> read_import_tree(const std::string& path) {
  const auto text = SOCKCTL_TRY(read_text(path));
  // OpenLambda's format has no such word, and the other error would only confuse.
  if (text.find("\"nodes\"") != std::string::npos)
    return of_file(sock::ImportTree::parse(text), path);
  return of_file(sock::ImportTree::parse_openlambda(text), path);
}

Result<std::string> tree_table(const sock::ImportTree& tree, const sock::ImportCosts& costs) {
  using Align = Column::Align;
  return table({{"NODE"}, {"IMPORT", Align::right}, {"MEMORY", Align::right}, {"PACKAGES"}},
               Rows{tree, costs}.take());
}

Result<std::string> tree_text(TreeFormat format, const sock::ImportTree& tree,
                              const sock::ImportCosts& costs) {
  if (format == TreeFormat::json) return tree.to_json();
  if (format == TreeFormat::openlambda) return tree.to_openlambda();
  auto text = SOCKCTL_TRY(tree_table(tree, costs));
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text;
}

std::string forecast_line(const sock::ImportTree& tree, const sock::ImportForecast& forecast) {
  return fmt::format(
      "{} nodes, {}: {:.0f} ms of {:.0f} ms of imports remain in {:.0f} calls ({:.0f} ms of "
      "packages "
      "that they name); {:.0f} calls import nothing\n",
      tree.nodes().size(), human_size(forecast.memory), forecast.remaining.count(),
      forecast.without_tree.count(), forecast.calls, forecast.remaining_named.count(),
      forecast.complete);
}

}  // namespace sockctl
