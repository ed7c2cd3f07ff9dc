// One step at a time, each decided anew: what a step has changed is seen by the next.

#include "zygote/tending.hpp"

#include <algorithm>
#include <optional>

namespace sock::zygote {
namespace {

using Kind = Step::Kind;

// Decayed, so that a node that was missed once long ago is not started.
constexpr double least_misses = 0.5;

class Decision {
 public:
  Decision(const ImportTree& tree, const CacheState& state) : tree_{tree}, state_{state} {
    for (const auto& node : state.nodes) {
      if (node.replicas == 0) continue;
      living_.push_back(node.use);
      if (serves_from_disk(node)) living_.back().import_time = saved_by_living;
    }
  }

  [[nodiscard]] Step decide() const {
    if (!state_.domain_lives) return {Kind::open_domain};
    const NodeState* root = find(ImportTree::root);
    if (root == nullptr) return {Kind::nothing};
    if (root->replicas == 0) return {root->resting ? Kind::nothing : Kind::start};
    if (const auto step = tidy_shelf()) return *step;
    if (const auto victims = victims_for(0); !victims.empty()) return evict(victims.front().node);
    if (state_.recycling_due && !root->resting) return {Kind::renew};
    if (const auto* old = find_outdated(root->generation)) return {Kind::renew, old->node};
    if (const auto step = verify(least_misses)) return *step;
    if (const auto step = start_or_make_room()) return *step;
    if (const Step step = adjust_replicas(); step.kind != Kind::nothing) return step;
    if (const auto step = verify(0)) return *step;
    return store_one();
  }

 private:
  // A fork from a snapshot takes hardly longer: that is all that is lost with the living one.
  static constexpr ImportTime saved_by_living{2};
  static bool serves_from_disk(const NodeState& node) {
    return node.stored && node.stored->is_verified && !node.stored->is_outdated;
  }

  [[nodiscard]] std::optional<Step> tidy_shelf() const {
    for (const auto& node : state_.nodes)
      if (node.stored && node.stored->is_outdated) return Step{Kind::drop, node.node};
    if (state_.stored_bytes <= state_.stored_max) return std::nullopt;
    if (state_.stored_bytes > bytes_of_nodes()) return Step{Kind::drop_unknown};
    const auto stored = by_density();
    if (stored.empty()) return std::nullopt;
    return Step{Kind::drop, stored.front()->node};
  }

  /// `least`: how often it was missed.
  [[nodiscard]] std::optional<Step> verify(double least) const {
    for (const auto& node : state_.nodes)
      if (node.stored && !node.stored->is_verified && !node.stored->is_resting &&
          node.misses >= least)
        return Step{Kind::verify, node.node};
    return std::nullopt;
  }

  // Into a snapshot first, if there is room for one.
  [[nodiscard]] Step evict(NodeId node) const {
    const auto* const victim = find(node);
    if (victim != nullptr && may_be_stored(*victim))
      if (const auto step = store_or_make_room(*victim, true)) return *step;
    return {Kind::evict, node};
  }

  /// Whoever is busy as well: it is a child that is written down, and nobody would look again.
  [[nodiscard]] bool may_be_stored(const NodeState& node) const {
    return state_.stored_max > 0 && !node.stored && node.can_be_stored && node.replicas > 0 &&
           node.node != ImportTree::root;
  }
  /// What a snapshot of it saves, for each byte on the disk.
  [[nodiscard]] static double density(const NodeState& node, std::uint64_t bytes) {
    const double hits = node.use.hits + node.misses + 1;
    return hits * std::max(node.use.import_time.count(), 1.0) /
           static_cast<double>(std::max<std::uint64_t>(bytes, 1));
  }
  /// What it will take at most: its memory and that of its ancestors.
  [[nodiscard]] std::uint64_t expected_bytes(const NodeState& node) const {
    std::uint64_t bytes = 0;
    for (const auto* at = &node; at != nullptr; at = parent_of(*at)) bytes += at->use.own_memory;
    return bytes;
  }
  /// `in_need`: of one that is about to go. Otherwise nothing gives way that serves as well, or two
  /// of them would push each other out for ever.
  [[nodiscard]] std::optional<Step> store_or_make_room(const NodeState& node, bool in_need) const {
    const auto bytes = expected_bytes(node);
    if (state_.stored_bytes + bytes <= state_.stored_max) return Step{Kind::store, node.node};
    if (bytes > state_.stored_max) return std::nullopt;
    if (state_.stored_bytes > bytes_of_nodes()) return Step{Kind::drop_unknown};
    if (!in_need) return std::nullopt;
    // All that have to go, or none.
    const auto stored = by_density();
    std::uint64_t freed = 0;
    for (const auto* const each : stored) {
      if (density(*each, each->stored->bytes) >= density(node, bytes)) return std::nullopt;
      freed += each->stored->bytes;
      if (state_.stored_bytes - freed + bytes <= state_.stored_max)
        return Step{Kind::drop, stored.front()->node};
    }
    return std::nullopt;
  }

  [[nodiscard]] std::uint64_t bytes_of_nodes() const {
    std::uint64_t bytes = 0;
    for (const auto& node : state_.nodes)
      if (node.stored) bytes += node.stored->bytes;
    return bytes;
  }
  /// Those in snapshots; least first.
  [[nodiscard]] std::vector<const NodeState*> by_density() const {
    std::vector<const NodeState*> stored;
    for (const auto& node : state_.nodes)
      if (node.stored) stored.push_back(&node);
    std::ranges::sort(stored, {},
                      [](const NodeState* node) { return density(*node, node->stored->bytes); });
    return stored;
  }

  [[nodiscard]] Step store_one() const {
    const NodeState* best = nullptr;
    for (const auto& node : state_.nodes) {
      if (!may_be_stored(node)) continue;
      if (best == nullptr || node.use.hits * node.use.import_time.count() >
                                 best->use.hits * best->use.import_time.count())
        best = &node;
    }
    if (best == nullptr) return {Kind::nothing};
    return store_or_make_room(*best, false).value_or(Step{Kind::nothing});
  }

  [[nodiscard]] const NodeState* find(NodeId node) const {
    const auto place = std::ranges::lower_bound(state_.nodes, node, {}, &NodeState::node);
    return place != state_.nodes.end() && place->node == node ? &*place : nullptr;
  }

  [[nodiscard]] std::vector<Victim> victims_for(std::uint64_t more) const {
    return plan_eviction(tree_, living_, memory_in_use(state_) + more, state_.memory_max);
  }

  // Parents first: a child descends from its parent's generation.
  [[nodiscard]] const NodeState* find_outdated(std::uint32_t generation) const {
    const auto old = std::ranges::find_if(state_.nodes, [&](const NodeState& node) {
      return node.replicas > 0 && node.generation != generation && !node.resting;
    });
    return old != state_.nodes.end() ? &*old : nullptr;
  }

  /// What stands between a node and its nearest living ancestor.
  struct Way {
    const NodeState* first = nullptr;  ///< To be started first.
    ImportTime saved{};
    std::uint64_t memory = 0;
  };
  /// Empty when a node on the way is resting: it is not to be had now.
  [[nodiscard]] std::optional<Way> way_to(const NodeState& missed) const {
    Way way;
    for (const auto* at = &missed; at != nullptr && at->replicas == 0; at = parent_of(*at)) {
      if (at->resting) return std::nullopt;
      way.first = at;
      way.saved += at->use.import_time;
      way.memory += at->use.own_memory;
    }
    return way;
  }
  [[nodiscard]] const NodeState* parent_of(const NodeState& node) const {
    const auto* described = tree_.find(node.node);
    return described != nullptr && described->parent.has_value() ? find(*described->parent)
                                                                 : nullptr;
  }

  [[nodiscard]] std::optional<Step> start_or_make_room() const {
    const NodeState* most_missed = nullptr;
    Way way;
    double most = 0;
    for (const auto& node : state_.nodes) {
      if (node.replicas > 0 || node.misses < least_misses || serves_from_disk(node)) continue;
      const auto to_it = way_to(node);
      // What was never measured is worth a try.
      const auto worth = to_it ? node.misses * std::max(to_it->saved.count(), 1.0) : 0;
      if (worth <= most || !is_affordable(*to_it, worth)) continue;
      most = worth;
      most_missed = &node;
      way = *to_it;
    }
    if (most_missed == nullptr) return std::nullopt;
    if (const auto victims = victims_for(way.memory); !victims.empty())
      return evict(victims.front().node);
    return Step{Kind::start, way.first->node};
  }

  // Not for what is worth as much itself, or two of them would push each other out for ever.
  [[nodiscard]] bool is_affordable(const Way& way, double worth) const {
    const auto in_use = memory_in_use(state_) + way.memory;
    std::uint64_t freed = 0;
    double lost = 0;
    for (const auto& victim : victims_for(way.memory)) {
      freed += victim.frees;
      lost += victim.benefit;
      // Nothing may be given up that the new one is made from.
      if (is_ancestor(victim.node, way.first->node)) return false;
    }
    return in_use - std::min(in_use, freed) <= state_.memory_max && lost < worth;
  }
  [[nodiscard]] bool is_ancestor(NodeId ancestor, NodeId node) const {
    for (const auto* at = tree_.find(node); at != nullptr && at->parent.has_value();
         at = tree_.find(*at->parent))
      if (*at->parent == ancestor) return true;
    return false;
  }

  [[nodiscard]] Step adjust_replicas() const {
    for (const auto& node : state_.nodes) {
      if (node.replicas == 0 || node.resting) continue;
      if (node.replicas > node.replicas_wanted) return {Kind::shrink, node.node};
      const auto room = state_.memory_max - std::min(state_.memory_max, memory_in_use(state_));
      if (node.replicas < node.replicas_wanted && node.use.own_memory <= room)
        return {Kind::replicate, node.node};
    }
    return {Kind::nothing};
  }

  const ImportTree& tree_;
  const CacheState& state_;
  std::vector<ZygoteUse> living_ = {};
};

}  // namespace

std::uint64_t memory_in_use(const CacheState& state) {
  std::uint64_t bytes = 0;
  for (const auto& node : state.nodes) bytes += node.replicas * node.use.own_memory;
  return bytes;
}

Step next_step(const ImportTree& tree, const CacheState& state) {
  return Decision{tree, state}.decide();
}

}  // namespace sock::zygote
