#pragma once

// The import cache: zygotes of one trust domain arranged as an import tree, of which the best one
// is forked for each request (SOCK, USENIX ATC'18, sections 4.2 and 4.3).
//
// Two halves. fork() is on the request path: it takes the best zygote that lives, and notes which
// better one is missed. tend() is off it: it starts what was missed, ends what is worth least when
// memory is short, and renews what has lived long enough. The library starts no thread: whoever
// embeds it calls tend() whenever due() is readable, from a thread that may wait for imports.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sock/import_tree.hpp"
#include "sock/zygote.hpp"

namespace sock {

/// How a tree grows where requests miss (SOCK's admission).
struct TreeGrowth {
  std::size_t nodes_max = 256;  ///< Not more than that; at the size of the tree it stays as it is.
  std::size_t depth_max = 64;
  ImportTime least_saving{1};  ///< Of a node, as far as the costs are known.
};

/// Siblings share the layout of their address space and the seed of their hashes: for how long, and
/// for how many forks, before everything starts anew from a fresh interpreter.
struct Recycling {
  std::chrono::seconds age_max = std::chrono::hours{1};
  std::uint64_t forks_max = 10'000;
};

enum class TreeStart : std::uint8_t {
  when_missed,  ///< A node is started when a request would have been forked from it.
  ahead,        ///< All at once, those that save most first.
};

/// Zygotes on disk. One that is in a snapshot is forked from there while it does not live, in
/// hardly more time and without its memory; and the next cache of the same domain, nodes and
/// packages finds it again.
struct StoredZygotes {
  /// Of a SnapshotStore that nothing else uses, or only other caches of the same user.
  std::string directory;
  std::uint64_t bytes_max = std::uint64_t{4} << 30U;  ///< Of all snapshots together.
};

struct ImportCacheSpec {
  ZygoteDomainSpec domain;  ///< Of Runtime::python.
  ImportTree tree = {};     ///< To begin with.
  TreeStart start = TreeStart::when_missed;
  ImportCosts costs = {};  ///< What is known of packages; what is not known is measured.
  /// Where packages are in the roots of the domain and of containers; one that is not here is on
  /// the interpreter's own search path.
  std::map<Package, std::string> paths = {};
  /// What to import of packages, where neither `costs` nor their own name tells: "PIL", "PIL.Image"
  /// of Pillow. See PackagesInUse::modules().
  std::map<Package, std::vector<std::string>> modules = {};
  TreeGrowth growth = {};
  Recycling recycling = {};
  std::uint64_t memory_max = 1UL << 30U;  ///< Bytes that the zygotes hold beyond what they share.
  std::size_t replicas_max = 2;           ///< Of a zygote that is asked for more than it can fork.
  std::optional<StoredZygotes> stored = {};  ///< Empty: what has no place in memory is not kept.
  std::size_t spares = 0;                    ///< Parked children of each zygote; see keep_spares().
  std::chrono::milliseconds import_deadline{60'000};  ///< For the imports of one node.
  /// Bytes by which the domain's memory may grow while a node is imported, within what
  /// domain.resources allow; one that takes more does not serve. Empty, or without a memory
  /// controller: no limit of its own.
  std::optional<std::uint64_t> import_memory_max = {};
};

/// A container and where it came from.
struct CachedStart {
  /// Origin::restored: from the node's snapshot, since it does not live.
  Container container;
  /// The node it was forked from; empty: it was created, and runs a fresh interpreter.
  std::string zygote;
  std::vector<Package> missing;  ///< Declared, but not imported in that zygote.
  /// Why it did not come from the best zygote that lived; empty when it did.
  std::string fallback;
};

/// What one call of tend() has done.
struct Tended {
  enum class Action : std::uint8_t {
    nothing,     ///< Nothing was due.
    opened,      ///< The domain had died, and lives again.
    started,     ///< A zygote that was missed.
    failed,      ///< A zygote did not start, or a snapshot could not be written or read; it is left
                 ///< alone for a while.
    evicted,     ///< For want of memory.
    renewed,     ///< Because its generation was too old.
    replicated,  ///< One more zygote of a busy node.
    shrunk,      ///< One less.
    stored,      ///< A zygote was written into a snapshot, or one of an earlier cache was verified.
    dropped,     ///< A snapshot that is too old, or worth less than its space.
  };
  Action action;
  std::string zygote;  ///< The node.
  std::string reason;  ///< Of `failed`, and of `dropped` for one that does not come back.
};
[[nodiscard]] std::string_view to_string(Tended::Action) noexcept;

/// A node of the tree, as it is now.
struct CachedZygote {
  std::string name;
  std::size_t replicas;  ///< 0: it does not live.
  double hits;           ///< Forks, old ones decayed: half after five minutes.
  double misses;         ///< Requests that would have been forked from it, had it lived; decayed.
  std::uint64_t forks;   ///< All there ever were.
  ImportTime import_time;
  std::uint64_t memory;      ///< Bytes that one replica holds beyond its parent; 0: not known yet.
  std::string failure;       ///< Why it does not live, if it was tried.
  std::uint64_t stored = 0;  ///< Bytes of its snapshot; 0: it has none.
};

/// Thread safety: fork() from any number of threads, beside one that tends. It must not outlive its
/// Host, nor containers it: destroying it kills them.
class ImportCache {
 public:
  ImportCache(ImportCache&&) noexcept;
  ImportCache& operator=(ImportCache&&) noexcept;
  ~ImportCache();

  /// Forks a container for a handler that has declared these packages, their dependencies included.
  /// `spec` is as for Zygote::fork(), and its root must have the declared packages; PYTHONPATH is
  /// added to. When the best zygote fails, the next best is forked, and at last the container is
  /// created with a fresh interpreter. A spec that cannot be run is an error at once.
  /// Blocking: about the time of a fork.
  Result<CachedStart> fork(const ContainerSpec& spec, std::span<const Package> declared);

  /// Readable while tend() has something to do; a timer, so poll it, and do not read it.
  [[nodiscard]] FdRef due() const noexcept;
  /// Does the most urgent thing that is due. On failure: the domain had died and could not be
  /// opened again. Blocking: at most for the imports of one node; twice that when one
  /// cannot be imported.
  Result<Tended> tend();

  /// A copy; it grows as requests come.
  [[nodiscard]] ImportTree tree() const;
  /// In the order of the tree's nodes.
  [[nodiscard]] std::vector<CachedZygote> zygotes() const;
  /// What the domain uses: all zygotes together, but not the containers forked from them.
  [[nodiscard]] Result<Stats> stats() const;
  /// Kills the domain with every zygote and container in it. The next tend() opens it again.
  Result<> kill();

  struct Impl;  ///< The library's own.

 private:
  friend class Host;
  explicit ImportCache(std::unique_ptr<Impl>) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sock
