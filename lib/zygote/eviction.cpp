// Greedy by benefit to cost, one leaf at a time, since each victim changes its parent's figures.

#include "zygote/eviction.hpp"

#include <algorithm>
#include <map>

namespace sock::zygote {
namespace {

// Page tables, kernel stacks and task structures: freed by the end of any process, even of one
// whose memory was not measured yet, so that no zygote looks free to keep.
constexpr std::uint64_t least_memory = 256UL << 10U;

struct Living {
  ZygoteUse use;
  std::size_t children = 0;
  bool lost_children = false;

  // What was shared with children alone becomes private with the last of them.
  [[nodiscard]] std::uint64_t frees() const {
    auto bytes = use.private_memory.value_or(use.own_memory);
    if (lost_children) bytes = std::max(bytes, use.own_memory);
    return std::max(bytes, least_memory);
  }
  [[nodiscard]] double benefit() const { return use.hits * use.import_time.count(); }
  [[nodiscard]] double worth() const { return benefit() / static_cast<double>(frees()); }
  [[nodiscard]] bool may_end() const {
    return children == 0 && use.node != ImportTree::root &&
           use.standing == ZygoteUse::Standing::evictable;
  }
};

class Population {
 public:
  Population(const ImportTree& tree, std::span<const ZygoteUse> zygotes) : tree_{tree} {
    for (const auto& use : zygotes)
      if (tree.find(use.node) != nullptr) living_.insert_or_assign(use.node, Living{.use = use});
    for (const auto& entry : living_)
      if (auto* parent = parent_of(entry.first)) ++parent->children;
  }

  [[nodiscard]] const Living* least_worth() const {
    const Living* least = nullptr;
    for (const auto& entry : living_) {
      const auto& zygote = entry.second;
      if (!zygote.may_end()) continue;
      // Equally worthless ones: the biggest, then the oldest.
      if (least == nullptr || zygote.worth() < least->worth() ||
          (zygote.worth() == least->worth() && zygote.frees() > least->frees()))
        least = &zygote;
    }
    return least;
  }

  void end(NodeId node) {
    if (auto* parent = parent_of(node)) {
      --parent->children;
      parent->lost_children = true;
      parent->use.hits += living_.at(node).use.hits;
    }
    living_.erase(node);
  }

 private:
  // The nearest living ancestor: a zygote whose parent died was credited to the one above already.
  Living* parent_of(NodeId node) {
    for (auto at = tree_.find(node)->parent; at.has_value(); at = tree_.find(*at)->parent)
      if (const auto found = living_.find(*at); found != living_.end()) return &found->second;
    return nullptr;
  }

  const ImportTree& tree_;
  std::map<NodeId, Living> living_;
};

}  // namespace

std::vector<Victim> plan_eviction(const ImportTree& tree, std::span<const ZygoteUse> zygotes,
                                  std::uint64_t in_use, std::uint64_t budget) {
  std::vector<Victim> victims;
  Population population{tree, zygotes};
  while (in_use > budget) {
    const auto* least = population.least_worth();
    if (least == nullptr) break;
    victims.push_back(
        {.node = least->use.node, .frees = least->frees(), .benefit = least->benefit()});
    in_use -= std::min(in_use, victims.back().frees);
    population.end(victims.back().node);
  }
  return victims;
}

}  // namespace sock::zygote
