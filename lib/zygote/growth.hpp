#pragma once

// Growing an import tree at run time (SOCK, USENIX ATC'18, section 4.3): a miss adds a child of its
// best match that imports the rest. Only the decision; whoever carries it out adds the node to the
// tree.

#include <expected>
#include <span>

#include "sock/import_tree.hpp"

namespace sock::zygote {

struct GrowthLimits {
  std::size_t nodes = ImportTree::most_nodes;
  std::size_t depth = ImportTree::most_depth;
  ImportTime least_saving{1};  ///< Below that, a zygote costs more than it saves.
};

enum class NoGrowth : std::uint8_t {
  hit,            ///< All that can be imported is imported already.
  no_match,       ///< Not even the root may be forked for this handler.
  contradicting,  ///< One package was declared in two versions.
  not_worth_it,   ///< Below least_saving.
  too_deep,
  full,  ///< Evict something first.
};

/// The child to add, with its parent. Packages of unknown cost are taken as worth a try; those
/// known to have neither modules nor cost are left out.
std::expected<ImportNode, NoGrowth> plan_growth(const ImportTree& tree, const ImportCosts& costs,
                                                std::span<const Package> declared,
                                                const GrowthLimits& limits = {});

}  // namespace sock::zygote
