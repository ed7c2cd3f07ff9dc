#pragma once

// Which zygotes to end when there is too little memory: those whose import time, weighed by how
// often it was saved, is least for the memory that ending them frees. Only leaves are ended, so
// that a zygote never outlives what it was made from. (The cache of SOCK 2018 never set the sizes
// that its policy divides by, and so never found a victim.)

#include <optional>
#include <span>
#include <vector>

#include "sock/import_tree.hpp"

namespace sock::zygote {

/// One living zygote, as it is now.
struct ZygoteUse {
  enum class Standing : std::uint8_t {
    evictable,
    busy,  ///< Starting, being forked from, or pinned by its user: not now.
  };

  NodeId node;
  double hits;             ///< Forks from this node, old ones decayed.
  ImportTime import_time;  ///< What its own imports took, its parent's not counted.
  /// Bytes that nobody shares: what ending it now would free. Empty while not measured.
  std::optional<std::uint64_t> private_memory;
  /// Bytes that it holds beyond its parent's; part of them is shared with its children while they
  /// live.
  std::uint64_t own_memory = 0;
  Standing standing = Standing::evictable;
};

struct Victim {
  NodeId node;
  std::uint64_t frees;  ///< Bytes, predicted.
  double benefit;       ///< Milliseconds that it saves, decayed.
};

/// Victims, first to be ended first, until `in_use` minus what they free is within `budget`, or
/// nothing evictable is left. Children come before their parents; the root is never among them.
/// Nodes of the tree that are not in `zygotes` are not alive. The hits of a victim are credited to
/// its parent, which will be forked in its place.
std::vector<Victim> plan_eviction(const ImportTree& tree, std::span<const ZygoteUse> zygotes,
                                  std::uint64_t in_use, std::uint64_t budget);

}  // namespace sock::zygote
