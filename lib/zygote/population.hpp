#pragma once

// The zygotes that an import cache keeps, node by node, and what is known of each.
//
// A zygote that is to go while somebody forks from it goes with the last fork. Thread-safe.

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sock/import_cache.hpp"

#include "zygote/decaying_count.hpp"
#include "zygote/tending.hpp"

namespace sock::zygote {

/// What a new zygote turned out to be.
struct Newcomer {
  Zygote zygote;
  ImportTime import_time{};
  std::uint32_t generation = 0;
  std::uint64_t anonymous = 0;   ///< Bytes, as ZygoteMemory.
  std::uint64_t own_memory = 0;  ///< Bytes of those that its parent does not have.
};

class Population {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Replica {
    Newcomer that;
    NodeId node;
    Time born;
    std::size_t forking = 0;
    bool retired = false;  ///< No new forks.
  };
  struct GiveBack {
    Population* population;
    void operator()(Replica* replica) const { population->give_back(*replica); }
  };
  using Lease = std::unique_ptr<Replica, GiveBack>;

  /// The least busy replica; empty when the node does not live.
  Lease borrow(NodeId node);
  /// Whether the zygote is to blame is for the caller to know: it is ended, and its node rests.
  void condemn(Replica& replica, std::string reason, Time now);

  void count_hit(NodeId node, std::chrono::nanoseconds fork_time, Time now);
  void count_hit_of_stored(NodeId node, Time now);  ///< Nobody living has forked.
  void count_miss(NodeId node, Time now, double weight = 1);
  /// A node of the tree, and what is thought of it until it has lived.
  void expect(NodeId node, ImportTime import_time, std::uint64_t memory);
  void move_in(NodeId node, Newcomer newcomer, Time now);
  void note_failure(NodeId node, std::string reason, Time now);
  /// Ends those of older generations; with the newest one, `node` has been renewed.
  void retire_older(NodeId node, std::uint32_t generation);
  void retire_one(NodeId node);
  void retire_all(NodeId node);
  /// Nothing is known any more of a node that the tree does not have.
  void forget(NodeId node);
  /// Everybody has died.
  void clear();
  /// Takes out those whose processes have ended.
  void bury(Time now);

  /// What ending a node would free, as measured now.
  void note_private_memory(NodeId node, std::uint64_t bytes);
  [[nodiscard]] CacheState state(const ImportTree& tree, std::uint64_t memory_max,
                                 std::size_t replicas_max, Time now);
  [[nodiscard]] std::vector<CachedZygote> describe(const ImportTree& tree, Time now) const;
  /// Of the root's generation.
  [[nodiscard]] std::uint64_t forks_since_renewal() const;
  /// When a node that is missed may be tried again; empty: none rests.
  [[nodiscard]] std::optional<Time> end_of_rest(Time now) const;

 private:
  struct Resident {
    std::vector<std::unique_ptr<Replica>> replicas = {};
    DecayingCount hits{half_life};
    DecayingCount misses{half_life};
    std::uint64_t forks = 0;
    std::chrono::duration<double> fork_time{};  ///< Smoothed.
    ImportTime import_time{};
    std::uint64_t own_memory = 0;
    std::optional<std::uint64_t> private_memory = {};
    std::string failure = {};
    unsigned failures = 0;
    Time rests_until = {};
  };
  static constexpr std::chrono::duration<double> half_life = std::chrono::minutes{5};

  void give_back(Replica& replica);
  /// Null for a node that was forgotten: a late word of it must not bring it back.
  Resident* find(NodeId node);
  void fail(Resident& resident, std::string reason, Time now);
  void retire(Resident& resident, Replica& replica);
  [[nodiscard]] static NodeState state_of(NodeId node, const Resident& resident,
                                          std::size_t replicas_max, Time now);

  mutable std::mutex mutex_;  ///< Guards all below.
  std::map<NodeId, Resident> residents_ = {};
  std::vector<std::unique_ptr<Replica>> leaving_ = {};  ///< Retired, and still forked from.
  std::uint64_t forks_since_renewal_ = 0;
};

}  // namespace sock::zygote
