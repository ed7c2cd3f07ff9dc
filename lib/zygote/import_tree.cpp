// The tree itself: adding, removing, looking up. Every path into a tree, files included, goes
// through check(), which keeps the invariants of the header.

#include "sock/import_tree.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>

#include "base/try.hpp"

namespace sock {
namespace {

// In one interpreter. Without a bound, every node of a file would be compared with all that a chain
// of 256 full ones holds.
constexpr std::size_t most_imported = 8 * ImportTree::most_packages;

std::unexpected<Error> refused(Errc code, std::string subject, std::string hint) {
  return base::refuse(code, Stage::validate, std::move(subject), std::move(hint));
}

bool is_node_name(std::string_view name) {
  constexpr std::string_view alphanumeric =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  return !name.empty() && name.size() <= 64 && alphanumeric.contains(name.front()) &&
         std::ranges::all_of(name, [&](char c) {
           return alphanumeric.contains(c) || std::string_view{"_.-"}.contains(c);
         });
}

// "os.path"; bytes outside ASCII are letters to Python.
bool is_module(std::string_view module) {
  if (module.empty() || module.size() > 256 || module.front() == '.' || module.back() == '.')
    return false;
  return std::ranges::all_of(module, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '.' || byte >= 0x80;
  });
}

// What one handler has declared, for look-ups in the time of a request.
class Declared {
 public:
  explicit Declared(std::span<const Package> packages) : sorted_{packages.begin(), packages.end()} {
    std::ranges::sort(sorted_);
  }
  [[nodiscard]] bool contains(const std::vector<Package>& packages) const {
    return std::ranges::all_of(
        packages, [&](const Package& p) { return std::ranges::binary_search(sorted_, p); });
  }

 private:
  std::vector<Package> sorted_;
};

ImportMatch extended(const ImportMatch* parent, NodeId id, const ImportNode& node,
                     const ImportCosts& costs) {
  ImportMatch match{.node = id, .saved = {}, .packages = node.packages.size()};
  if (parent != nullptr) {
    match.saved = parent->saved;
    match.packages += parent->packages;
  }
  for (const auto& package : node.packages)
    if (const auto cost = costs.find(package); cost != costs.end())
      match.saved += cost->second.time;
  return match;
}

bool better(const ImportMatch& match, const ImportMatch& than) {
  if (match.saved != than.saved) return match.saved > than.saved;
  return match.packages > than.packages;  // Equal ones: the older node stays.
}

}  // namespace

ImportTree::ImportTree() : nodes_{{root, ImportNode{.name = "root"}}}, next_{1} {}

Result<ImportTree> ImportTree::with_root(ImportNode root_node) {
  ImportTree tree;
  tree.nodes_.clear();
  tree.next_ = root;
  SOCK_TRY(tree.add(std::move(root_node)));
  return tree;
}

Result<NodeId> ImportTree::add(ImportNode node) {
  if (node.name.empty()) node.name = free_name();
  std::ranges::sort(node.packages);
  SOCK_TRY(check(node));
  const NodeId id = next_++;
  nodes_.emplace(id, std::move(node));
  return id;
}

// A tree that was written and read again has other numbers than its names say. A hostile file has
// named thousands of nodes as the next ones would be: each is looked at once.
std::string ImportTree::free_name() const {
  if (nodes_.empty()) return "root";
  constexpr std::string_view prefix = "node-";
  // One number more than there are nodes, so one of them is free.
  std::vector<bool> taken(nodes_.size() + 1);
  for (const auto& entry : nodes_) {
    const std::string_view name = entry.second.name;
    if (!name.starts_with(prefix)) continue;
    NodeId number = 0;
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
    if (number >= next_ && number - next_ < taken.size()) taken[number - next_] = true;
  }
  const auto free = std::ranges::find(taken, false) - taken.begin();
  return std::string{prefix} + std::to_string(next_ + static_cast<std::size_t>(free));
}

Result<> ImportTree::check(const ImportNode& node) const {
  if (!is_node_name(node.name))
    return refused(Errc::invalid_spec, "node \"" + node.name + "\"",
                   "a name has letters, digits, and then also _ . -, at most 64");
  if (node.packages.size() > most_packages || node.modules.size() > most_packages)
    return refused(Errc::exhausted, node.name, "too many packages or modules in one node");
  if (nodes_.size() >= most_nodes) return refused(Errc::exhausted, node.name, "too many nodes");
  if (find(node.name).has_value()) return refused(Errc::exists, node.name, "names are unique");
  for (const auto& module : node.modules)
    if (!is_module(module))
      return refused(Errc::invalid_spec, node.name + ": module \"" + module + "\"", "like os.path");

  std::set<std::string_view> names;
  for (const auto& package : node.packages)
    if (!names.insert(package.name).second)
      return refused(Errc::invalid_spec, node.name + ": " + package.name, "it is there twice");
  if (!node.parent.has_value()) {
    if (nodes_.empty()) return {};
    return refused(Errc::invalid_spec, node.name, "a tree has one root; name a parent");
  }
  if (find(*node.parent) == nullptr) return refused(Errc::not_found, node.name, "no such parent");
  if (depth(*node.parent) >= most_depth) return refused(Errc::exhausted, node.name, "too deep");
  std::size_t imported = node.packages.size();
  for (std::optional<NodeId> at = node.parent; at.has_value(); at = find(*at)->parent) {
    imported += find(*at)->packages.size();
    if (imported > most_imported)
      return refused(Errc::exhausted, node.name, "too many packages on the way to the root");
    for (const auto& package : find(*at)->packages)
      if (names.contains(package.name))
        return refused(Errc::invalid_spec, node.name + ": " + package.name,
                       "an ancestor has imported it already");
  }
  return {};
}

Result<> ImportTree::remove(NodeId leaf) {
  const auto place = nodes_.find(leaf);
  if (place == nodes_.end())
    return refused(Errc::not_found, "node " + std::to_string(leaf), "no such node");
  if (leaf == root) return refused(Errc::invalid_spec, place->second.name, "the root stays");
  const bool has_children =
      std::ranges::any_of(nodes_, [&](const auto& entry) { return entry.second.parent == leaf; });
  if (has_children) return refused(Errc::invalid_spec, place->second.name, "it has children");
  nodes_.erase(place);
  return {};
}

const ImportNode* ImportTree::find(NodeId node) const noexcept {
  const auto place = nodes_.find(node);
  return place != nodes_.end() ? &place->second : nullptr;
}

std::optional<NodeId> ImportTree::find(std::string_view name) const noexcept {
  const auto place =
      std::ranges::find_if(nodes_, [&](const auto& entry) { return entry.second.name == name; });
  return place != nodes_.end() ? std::optional<NodeId>{place->first} : std::nullopt;
}

std::size_t ImportTree::depth(NodeId node) const noexcept {
  std::size_t steps = 0;
  for (const auto* at = find(node); at != nullptr && at->parent.has_value(); at = find(*at->parent))
    ++steps;
  return steps;
}

std::vector<Package> ImportTree::imported(NodeId node) const {
  std::vector<Package> all;
  for (const auto* at = find(node); at != nullptr;
       at = at->parent.has_value() ? find(*at->parent) : nullptr)
    all.insert(all.end(), at->packages.begin(), at->packages.end());
  std::ranges::sort(all);
  return all;
}

std::vector<ImportMatch> ImportTree::matches(std::span<const Package> declared,
                                             const ImportCosts& costs) const {
  const Declared handler{declared};
  // Sorted by node, as nodes_ is: parents come first, so one pass sees a node only after what it
  // depends on.
  std::vector<ImportMatch> qualified;
  for (const auto& [id, node] : nodes_) {
    const ImportMatch* parent = nullptr;
    if (node.parent.has_value()) {
      const auto place = std::ranges::lower_bound(qualified, *node.parent, {}, &ImportMatch::node);
      if (place == qualified.end() || place->node != *node.parent) continue;
      parent = &*place;
    }
    if (handler.contains(node.packages)) qualified.push_back(extended(parent, id, node, costs));
  }
  std::ranges::stable_sort(qualified, better);
  return qualified;
}

std::optional<ImportMatch> ImportTree::best_match(std::span<const Package> declared,
                                                  const ImportCosts& costs) const {
  const auto all = matches(declared, costs);
  return all.empty() ? std::nullopt : std::optional{all.front()};
}

}  // namespace sock
