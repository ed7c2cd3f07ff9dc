#pragma once

// Import trees: which zygotes to keep, each with its parent's imports plus some (SOCK, USENIX
// ATC'18, section 4.2). Values without effects: nothing here starts a process or opens a file.
// Invariants of every tree: one root; a node's parent is older than the node, so there are no
// cycles; names are unique; no package twice on the way to the root, not even in two versions.

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sock/result.hpp"

namespace sock {

/// A package in one version. The name is normalised as Python's package indexes do it: lower case,
/// and one "-" for each run of "-", "_" and ".". An empty version means "whatever is installed",
/// which is equal to nothing but itself.
struct Package {
  std::string name;
  std::string version = {};

  /// From "name==1.2", or "name"; extras ("name[extra]==1.2") are left out.
  /// On failure: Errc::invalid_spec with the text as subject.
  [[nodiscard]] static Result<Package> parse(std::string_view text);
  /// "name==1.2"
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const Package&, const Package&) = default;
};

using ImportTime = std::chrono::duration<double, std::milli>;

/// What importing one package costs, its dependencies not counted.
struct PackageCost {
  ImportTime time{};
  std::uint64_t memory = 0;               ///< Bytes.
  std::vector<std::string> modules = {};  ///< The top-level modules to import.
};
using ImportCosts = std::map<Package, PackageCost>;

/// The number of a node: unique in its tree, and never used again.
using NodeId = std::uint32_t;

struct ImportNode {
  std::string name = {};  ///< [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 64; if empty, "node-N".
  std::optional<NodeId> parent = {};      ///< Empty for the root alone.
  std::vector<Package> packages = {};     ///< What it adds to its parent's; sorted.
  std::vector<std::string> modules = {};  ///< What it imports, in this order.
};

/// The zygote to fork a container from.
struct ImportMatch {
  NodeId node;
  ImportTime saved;      ///< Of the packages whose cost is known.
  std::size_t packages;  ///< Imported already, of those that were declared.
};

/// Thread safety: a value; reentrant.
class ImportTree {
 public:
  static constexpr NodeId root = 0;
  /// Bounds of what is accepted, from files too. A path to the root has at most 8 * most_packages.
  static constexpr std::size_t most_nodes = 4096;
  static constexpr std::size_t most_depth = 256;          ///< Of a node below the root.
  static constexpr std::size_t most_packages = 1024;      ///< Or modules, of one node.
  static constexpr std::size_t most_bytes = 16UL << 20U;  ///< Of a file.

  /// The root alone: an interpreter that has imported nothing.
  ImportTree();

  /// Adds a child. On failure: Errc::invalid_spec (a bad or contradicting name, package or module),
  /// exists (the name is in use), not_found (no such parent), exhausted (a bound).
  [[nodiscard]] Result<NodeId> add(ImportNode node);
  /// Removes a node without children; never the root.
  [[nodiscard]] Result<> remove(NodeId leaf);

  /// In the order of their numbers, hence parents first; the root is the first.
  [[nodiscard]] const std::map<NodeId, ImportNode>& nodes() const noexcept { return nodes_; }
  [[nodiscard]] const ImportNode* find(NodeId node) const noexcept;
  [[nodiscard]] std::optional<NodeId> find(std::string_view name) const noexcept;
  /// Of a node of this tree: 0 for the root.
  [[nodiscard]] std::size_t depth(NodeId node) const noexcept;
  /// All that is imported in a node: its own packages and its ancestors'; sorted.
  [[nodiscard]] std::vector<Package> imported(NodeId node) const;

  /// The zygotes that may serve a handler that has declared these packages, best first: nodes whose
  /// packages, their ancestors' included, were all declared, by name and version (the subset rule).
  /// A better one saves more import time, or as much with more packages, or is older. Of a node in
  /// the list all ancestors are in it as well. Empty when not even the root qualifies.
  [[nodiscard]] std::vector<ImportMatch> matches(std::span<const Package> declared,
                                                 const ImportCosts& costs) const;
  /// The first of them.
  [[nodiscard]] std::optional<ImportMatch> best_match(std::span<const Package> declared,
                                                      const ImportCosts& costs) const;

  /// Our own format, documented in docs/import-tree.md: {"version":1,"nodes":[{"name":...}, ...]}.
  /// On failure: Errc::corrupt with the place as subject. Input may be hostile.
  [[nodiscard]] static Result<ImportTree> parse(std::string_view json);
  [[nodiscard]] std::string to_json() const;
  /// OpenLambda's: {"packages":["name==1.2"],"children":[...]}. Nodes get names by their numbers;
  /// modules are not part of it, and what else stands there is left out.
  [[nodiscard]] static Result<ImportTree> parse_openlambda(std::string_view json);
  [[nodiscard]] std::string to_openlambda() const;

 private:
  [[nodiscard]] static Result<ImportTree> with_root(ImportNode root_node);
  [[nodiscard]] std::string free_name() const;
  [[nodiscard]] Result<> check(const ImportNode& node) const;

  std::map<NodeId, ImportNode> nodes_;
  NodeId next_ = 0;
};

}  // namespace sock
