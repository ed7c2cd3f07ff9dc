// Import trees in both formats. What is taken keeps the invariants of the header, and is the same
// after it was written and read again.

#include "sock/import_tree.hpp"

#include "input.hpp"

namespace sock::fuzz {
namespace {

void check_invariants(const ImportTree& tree) {
  for (const auto& [id, node] : tree.nodes()) {
    expect(node.parent.has_value() == (id != ImportTree::root), "one root");
    expect(!node.parent || (*node.parent < id && tree.find(*node.parent)), "parents are older");
    expect(tree.find(node.name) == id, "names are unique");
    expect(tree.depth(id) <= ImportTree::most_depth, "depth has its bound");
    const auto imported = tree.imported(id);
    for (std::size_t i = 1; i < imported.size(); ++i)
      expect(imported[i - 1].name != imported[i].name, "no package twice on the way to the root");
  }
}

void read_own(std::string_view text) {
  const auto tree = ImportTree::parse(text);
  if (!tree) return;
  check_invariants(*tree);
  const std::string written = tree->to_json();
  const auto again = ImportTree::parse(written);
  expect(again && again->to_json() == written, "written and read, it is the same");
}

void read_openlambda(std::string_view text) {
  const auto tree = ImportTree::parse_openlambda(text);
  if (!tree) return;
  check_invariants(*tree);
  const std::string written = tree->to_openlambda();
  const auto again = ImportTree::parse_openlambda(written);
  expect(again && again->to_openlambda() == written, "written and read, it is the same");
}

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  sock::fuzz::read_own(text);
  sock::fuzz::read_openlambda(text);
  return 0;
}
