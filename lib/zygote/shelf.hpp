#pragma once

// Zygotes of an import cache that are in snapshots, by node; from there they are forked while they
// do not live. What an earlier cache has left is found again by what it says of itself: the same
// domain, and the same packages in the same places.
//
// Thread-safe. borrow(), count_fork() and suspect() are for the request path: they touch no disk.

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sock/checkpoint.hpp"
#include "sock/import_cache.hpp"

namespace sock::zygote {

/// What a node imports, as text: equal for zygotes that may stand for each other.
std::string identity_of(const ImportTree& tree, NodeId node,
                        const std::map<Package, std::string>& paths);

class Shelf {
 public:
  using Clock = std::chrono::system_clock;  // It goes on while nothing runs.

  /// Removes what is older than `age_max`, or was written under another kernel.
  static Result<std::unique_ptr<Shelf>> open(const StoredZygotes& spec,
                                             const ZygoteDomainSpec& domain,
                                             std::chrono::seconds age_max);

  struct Item {
    std::uint64_t bytes;
    Clock::time_point created;
    std::uint64_t forks;            ///< Since it was found or written here.
    bool is_verified;               ///< Otherwise nothing is forked from it.
    unsigned failures;              ///< In a row.
    Clock::time_point rests_until;  ///< Not to be verified before.
  };
  [[nodiscard]] std::map<NodeId, Item> items() const;
  /// Of all snapshots of the domain, those of nodes that are not in the tree included.
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::uint64_t bytes_max() const noexcept { return bytes_max_; }

  using Lease = std::shared_ptr<const SnapshotInUse>;
  /// Null for a node that is not here, or not verified yet.
  [[nodiscard]] Lease borrow(NodeId node) const;
  /// How many there were, this one included.
  std::uint64_t count_fork(NodeId node);
  /// A fork has failed, and perhaps because of it: it is out of use until it is verified again.
  void suspect(NodeId node, const Lease& lease);

  /// Gives a node what an earlier cache has left of it.
  void recognise(const ImportTree& tree, const std::map<Package, std::string>& paths);
  /// Reads all of it. On failure it is dropped, if it is damaged or often failed to come back; else
  /// it rests.
  Result<> verify(NodeId node);
  /// Writes it down, in place of what was there of the node.
  Result<> store(NodeId node, const std::string& identity, Zygote& zygote);
  /// Whoever is forking from it goes on. One that is in use is removed from the disk later.
  void drop(NodeId node);
  /// One of a node that the tree does not have; false when there is none.
  bool drop_unknown();
  void forget(NodeId node);  ///< It stays on the disk.

 private:
  struct Snapshot {
    std::string name;
    std::string identity;
    Item item;
    Lease in_use = {};
  };

  Shelf(SnapshotStore store, const StoredZygotes& spec, const ZygoteDomainSpec& domain);
  void find_earlier(const std::vector<sock::Snapshot>& snapshots, std::chrono::seconds age_max);
  [[nodiscard]] bool is_ours(const sock::Snapshot& snapshot) const;
  Result<Lease> use(const std::string& name);
  void remove_from_disk(std::string name);

  SnapshotStore store_;
  const std::uint64_t bytes_max_;
  const ZygoteDomainSpec domain_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<NodeId, Snapshot> snapshots_ = {};
  std::vector<Snapshot> unknown_ = {};     ///< Of no node of the tree.
  std::vector<std::string> leaving_ = {};  ///< Could not be removed when they should have been.
};

}  // namespace sock::zygote
