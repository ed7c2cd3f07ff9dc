#pragma once

// The state behind ImportCache: the tree, who of it lives, and what requests have missed.

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>

#include "sock/import_cache.hpp"

#include "zygote/population.hpp"
#include "zygote/shelf.hpp"

namespace sock {

/// What the cache asks of its Host.
struct ImportCacheHost {
  std::function<Result<ZygoteDomain>(const ZygoteDomainSpec&)> open_domain;
  std::function<Result<Container>(const ContainerSpec&)> create;
  std::function<Result<Container>(const SnapshotInUse&, const ContainerSpec&)> fork;
  std::string runtime;  ///< The directory of the interpreter's part of the library.
  Init init;            ///< Of created containers: none, unless they would outlive the Host.
};

struct ImportCache::Impl {
  using Time = zygote::Population::Time;

  Impl(ImportCacheHost host, ImportCacheSpec spec, UniqueFd timer,
       std::unique_ptr<zygote::Shelf> shelf);
  static Result<std::unique_ptr<Impl>> open(ImportCacheHost host, ImportCacheSpec spec);

  Result<CachedStart> fork(const ContainerSpec& spec, std::span<const Package> declared);
  Result<Tended> tend();
  [[nodiscard]] ImportTree copy_tree() const;
  [[nodiscard]] ImportCosts copy_costs() const;
  [[nodiscard]] std::vector<CachedZygote> describe() const;

  const ImportCacheHost host;
  ImportCacheSpec spec;  ///< Not changed after open().
  const UniqueFd timer;
  const std::unique_ptr<zygote::Shelf> shelf;  ///< Null: nothing is stored.

  mutable std::shared_mutex domain_mutex = {};  ///< Guards, against whoever only looks at it:
  std::optional<ZygoteDomain> domain = {};

  std::mutex tending = {};  ///< Guards what only one who tends uses, the domain included:
  std::uint32_t generation = 0;
  Time root_born = {};
  std::set<NodeId> unstorable = {};  ///< Until they are renewed.

  mutable std::shared_mutex tree_mutex = {};  ///< Guards:
  ImportTree tree;
  ImportCosts costs;  ///< Given, and learnt.
  std::set<NodeId> grown = {};

  std::mutex misses_mutex = {};  ///< Guards:
  std::deque<std::vector<Package>> misses = {};
  std::set<std::vector<Package>> considered = {};  ///< For which the tree has all it will have.

  zygote::Population population = {};  ///< Before the domain in destruction.

 private:
  Result<Container> create(const ContainerSpec& spec) const;
  struct Attempt {
    std::optional<Result<Container>> container = {};  ///< Empty: the node is not to be had.
    bool is_node_to_blame = false;
  };
  Attempt fork_living(NodeId node, const ContainerSpec& spec);
  Attempt fork_stored(NodeId node, const ContainerSpec& spec);
  std::vector<ImportMatch> find_matches(std::span<const Package> declared);
  void note_miss(const ImportMatch& best, bool lives, std::span<const Package> declared);
  CachedStart started(Attempt attempt, const ImportMatch& match, std::string fallback,
                      std::span<const Package> declared) const;

  void grow_tree(Time now);
  void grow_tree_for(const std::vector<Package>& declared, Time now);
  bool make_room_in_tree(Time now);
  void replace_unfit(NodeId node, const std::vector<std::pair<Package, std::string>>& unfit,
                     Time now);
  void learn(const ImportCosts& measured);
  void expect_nodes(Time now);
  void forget_considered();

  Result<Tended> carry_out(zygote::Step step, Time now);
  Result<> open_domain(Time now);
  void close_domain();
  [[nodiscard]] bool domain_lives();
  [[nodiscard]] bool recycling_due(Time now) const;
  Tended start(NodeId node, Tended::Action action, Time now);
  Tended store(NodeId node);
  Tended verify(NodeId node);
  void add_stored(zygote::CacheState& state) const;
  [[nodiscard]] bool is_outdated(const zygote::Shelf::Item& item) const;
  Result<zygote::Newcomer> start_root();
  /// It serves from now on, with its spares.
  void move_in(NodeId node, zygote::Newcomer newcomer, Time now);
  Result<zygote::Newcomer> grow_from_parent(NodeId node, Time now);
  Result<zygote::Newcomer> import_within_allowance(Zygote& parent, NodeId id,
                                                   const ImportNode& node, Time now);
  Result<zygote::Newcomer> import_node(Zygote& parent, NodeId id, const ImportNode& node, Time now);
  void measure_private_memory();
  void plan_next(Time now) const;
  void wake() const;
  [[nodiscard]] std::string name_of(NodeId node) const;
};

}  // namespace sock
