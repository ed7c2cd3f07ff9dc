#pragma once

// What is due in an import cache: the most urgent step, decided from figures. Whoever carries it
// out is import_cache_steps.cpp.

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "sock/import_tree.hpp"

#include "zygote/eviction.hpp"

namespace sock::zygote {

/// A node's zygote in a snapshot.
struct StoredState {
  std::uint64_t bytes = 0;
  bool is_verified = true;
  bool is_outdated = false;
  bool is_resting = false;  ///< It cannot be verified now.
};

/// One node, living or not.
struct NodeState {
  NodeId node;
  std::size_t replicas = 0;         ///< Living.
  std::size_t replicas_wanted = 1;  ///< While it lives.
  std::uint32_t generation = 0;     ///< Of the interpreter that its replicas descend from.
  bool resting = false;             ///< It has failed lately, and is not to be tried yet.
  double misses = 0;                ///< Decayed.
  ZygoteUse use = {};               ///< Expected figures while it does not live.
  std::optional<StoredState> stored = {};
  bool can_be_stored = true;  ///< False once that has failed.
};

struct CacheState {
  bool domain_lives = true;
  bool recycling_due = false;      ///< Of the root's generation.
  std::uint64_t memory_max = 0;    ///< Bytes, of all zygotes together.
  std::uint64_t stored_max = 0;    ///< Bytes; 0: nothing is stored.
  std::uint64_t stored_bytes = 0;  ///< Those of no node of the tree included.
  std::vector<NodeState> nodes;    ///< In the order of the tree.
};

struct Step {
  enum class Kind : std::uint8_t {
    nothing,
    open_domain,
    start,
    evict,
    renew,
    replicate,
    shrink,
    verify,        ///< A snapshot from before.
    store,         ///< A living zygote.
    drop,          ///< A snapshot.
    drop_unknown,  ///< One of no node of the tree.
  };
  Kind kind;
  NodeId node = ImportTree::root;
  friend bool operator==(const Step&, const Step&) = default;
};

/// First what keeps the cache serving at all, then memory, then age, then speed; at last what
/// serves the next cache.
Step next_step(const ImportTree& tree, const CacheState& state);

/// Bytes that the living zygotes hold.
std::uint64_t memory_in_use(const CacheState& state);

}  // namespace sock::zygote
