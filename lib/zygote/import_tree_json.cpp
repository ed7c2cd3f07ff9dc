// Our own format of import trees. A flat list in which a parent stands before its children: a cycle
// cannot be written down, and depth is no nesting.

#include "base/try.hpp"
#include "zygote/tree_json.hpp"

namespace sock {
namespace {

using zygote::corrupt;

constexpr int format_version = 1;
constexpr zygote::JsonBounds bounds{.bytes = ImportTree::most_bytes, .depth = 8};

Result<ImportNode> node_of(const nlohmann::json& value, const ImportTree* tree,
                           const std::string& place) {
  if (!value.is_object()) return corrupt(place, "a node is an object");
  ImportNode node;
  node.name = SOCK_TRY(zygote::text_of(value, "name", place));
  node.packages = SOCK_TRY(zygote::packages_of(value, "packages", place));
  node.modules = SOCK_TRY(zygote::texts_of(value, "modules", place));
  const auto parent = SOCK_TRY(zygote::text_of(value, "parent", place));
  if (tree == nullptr) {
    if (!parent.empty()) return corrupt(place, "the first node is the root and has no parent");
    return node;
  }
  node.parent = tree->find(parent);
  if (!node.parent.has_value())
    return corrupt(place, "its parent \"" + parent + "\" does not stand before it");
  return node;
}

nlohmann::ordered_json to_json(const ImportTree& tree, const ImportNode& node) {
  nlohmann::ordered_json value{{"name", node.name}};
  if (node.parent.has_value()) value["parent"] = tree.find(*node.parent)->name;
  value["packages"] = nlohmann::ordered_json::array();
  for (const auto& package : node.packages) value["packages"].push_back(package.to_string());
  if (!node.modules.empty()) value["modules"] = node.modules;
  return value;
}

// What a node violates is a fault of the file.
Error at_place(Error error, const std::string& place) {
  error.code = Errc::corrupt;
  error.subject = place + ": " + error.subject;
  return error;
}

}  // namespace

Result<ImportTree> ImportTree::parse(std::string_view json) {
  const auto file = SOCK_TRY(zygote::parse_json(json, bounds, "import tree"));
  const auto* version = zygote::find_member(file, "version");
  if (version == nullptr || *version != format_version)
    return corrupt("import tree", "no \"version\":1; is it another format?");
  const auto* listed = zygote::find_member(file, "nodes");
  if (listed == nullptr || !listed->is_array() || listed->empty())
    return corrupt("import tree", "\"nodes\" is a list, the root first");
  std::optional<ImportTree> tree;
  std::size_t number = 0;
  for (const auto& value : *listed) {
    const auto place = "nodes[" + std::to_string(number++) + "]";
    auto node = SOCK_TRY(node_of(value, tree.has_value() ? &*tree : nullptr, place));
    if (!tree.has_value()) {
      auto started = with_root(std::move(node));
      if (!started.has_value()) return std::unexpected(at_place(started.error(), place));
      tree = std::move(*started);
    } else if (const auto added = tree->add(std::move(node)); !added.has_value()) {
      return std::unexpected(at_place(added.error(), place));
    }
  }
  return std::move(*tree);
}

std::string ImportTree::to_json() const {
  nlohmann::ordered_json listed = nlohmann::ordered_json::array();
  for (const auto& entry : nodes_) listed.push_back(sock::to_json(*this, entry.second));
  const nlohmann::ordered_json file{{"version", format_version}, {"nodes", std::move(listed)}};
  return file.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace sock
