// OpenLambda's format of import trees, in which children are nested in their parents. Its trees
// carry further members ("direct", "split_generation"), which are not ours to keep.

#include <deque>

#include "base/try.hpp"
#include "zygote/tree_json.hpp"

namespace sock {
namespace {

using zygote::corrupt;

// A node is an object in a list, so each level of the tree is two of JSON.
constexpr zygote::JsonBounds bounds{.bytes = ImportTree::most_bytes,
                                    .depth = 2 * static_cast<int>(ImportTree::most_depth) + 4};

// A node of the file whose parent is in the tree already.
struct Pending {
  const nlohmann::json* value;
  std::optional<NodeId> parent;
};

}  // namespace

Result<ImportTree> ImportTree::parse_openlambda(std::string_view json) {
  const auto file = SOCK_TRY(zygote::parse_json(json, bounds, "import tree"));
  if (zygote::find_member(file, "packages") == nullptr)
    return corrupt("import tree", "no \"packages\"; is it another format?");
  ImportTree tree;
  std::deque<Pending> pending{{&file, std::nullopt}};
  for (std::size_t number = 0; !pending.empty(); ++number) {
    const auto [value, parent] = pending.front();
    pending.pop_front();
    const auto place = "node " + std::to_string(number);
    if (!value->is_object()) return corrupt(place, "a node is an object");
    ImportNode node{.parent = parent};
    node.packages = SOCK_TRY(zygote::packages_of(*value, "packages", place));
    NodeId id = root;
    if (parent.has_value()) {
      const auto added = tree.add(std::move(node));
      if (!added.has_value())
        return corrupt(place + ": " + added.error().subject, added.error().hint);
      id = *added;
    } else {
      auto started = with_root(std::move(node));
      if (!started.has_value())
        return corrupt(place + ": " + started.error().subject, started.error().hint);
      tree = std::move(*started);
    }
    const auto* children = zygote::find_member(*value, "children");
    if (children == nullptr) continue;
    if (!children->is_array()) return corrupt(place, "\"children\" is no list");
    if (number + pending.size() + children->size() >= most_nodes)
      return corrupt(place, "too many nodes");
    for (const auto& child : *children) pending.push_back({&child, id});
  }
  return tree;
}

std::string ImportTree::to_openlambda() const {
  std::map<NodeId, nlohmann::ordered_json> written;
  // Children are younger than their parents: from the last to the first, each is complete when its
  // parent takes it in.
  for (auto entry = nodes_.rbegin(); entry != nodes_.rend(); ++entry) {
    const auto& [id, node] = *entry;
    nlohmann::ordered_json value{{"packages", nlohmann::ordered_json::array()}};
    for (const auto& package : node.packages) value["packages"].push_back(package.to_string());
    value["children"] = nlohmann::ordered_json::array();
    auto& children = value["children"];
    for (auto child = written.upper_bound(id); child != written.end();) {
      if (nodes_.at(child->first).parent != id) {
        ++child;
        continue;
      }
      children.push_back(std::move(child->second));
      child = written.erase(child);
    }
    written.emplace(id, std::move(value));
  }
  return written.at(root).dump(1) + "\n";
}

}  // namespace sock
