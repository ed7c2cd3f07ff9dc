#pragma once

// A trust domain: the functions that may be forked from the same zygotes. An import cache, and the
// thread that tends it.

#include <atomic>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "sock/host.hpp"
#include "sock/import_cache.hpp"
#include "sock/package_cache.hpp"

#include "try.hpp"

namespace sockd {

using sock::Result;

/// The packages of a function, kept as long as somebody may run with them.
using Packages = std::shared_ptr<const sock::PackagesInUse>;

/// What zygotes import of each.
using Modules = std::map<sock::Package, std::vector<std::string>>;

struct RealmSpec {
  std::string name;
  std::string application;         ///< Empty: of the functions that have none.
  sock::Rootfs rootfs;             ///< With the packages of all its functions.
  std::vector<Packages> packages;  ///< The same, to be kept.
  Modules modules;
  sock::ImportTree tree = {};  ///< Of the realm before it: nobody starts to learn again.
  std::uint64_t memory_max;    ///< Bytes of all zygotes together.
  /// Where it writes down what it has learnt, and its zygotes: a directory of its application's.
  std::string directory;
  std::uint64_t stored_max;  ///< Bytes of all snapshots there.
  std::size_t spares;        ///< Of each zygote.
};

/// Thread-safe, but forget_earlier_roots() is for one thread at a time.
class Realm {
 public:
  static Result<std::shared_ptr<Realm>> open(sock::Host& host, RealmSpec spec);
  /// The tree that a realm of an earlier daemon has written there; empty where there is none.
  static sock::ImportTree written_tree(const std::string& directory);
  Realm(RealmSpec spec, sock::ImportCache cache);
  ~Realm();  ///< Blocks, for milliseconds.
  Realm(const Realm&) = delete;
  Realm& operator=(const Realm&) = delete;

  Result<sock::CachedStart> fork(const sock::ContainerSpec& spec,
                                 std::span<const sock::Package> declared) {
    return cache_.fork(spec, declared);
  }
  /// Whether its zygotes see all that is bound there, and import all of that.
  [[nodiscard]] bool covers(const std::vector<sock::Bind>& binds, const Modules& modules) const;
  /// Removes what realms of its directory have written down that saw something else: no zygote of
  /// this one comes from that. What is in use stays, for the next time. Blocking.
  void forget_earlier_roots();
  /// Another one takes its place: it starts nothing and writes nothing down any more.
  void supersede() noexcept { is_superseded_ = true; }
  [[nodiscard]] const RealmSpec& spec() const noexcept { return spec_; }
  [[nodiscard]] sock::ImportTree tree() const { return cache_.tree(); }
  [[nodiscard]] std::vector<sock::CachedZygote> zygotes() const { return cache_.zygotes(); }

 private:
  void tend(const std::stop_token& stop);
  void write_tree() const;

  RealmSpec spec_;
  sock::ImportCache cache_;
  std::atomic<bool> is_superseded_ = false;
  bool has_forgotten_ = false;
  std::jthread tender_;
};

/// Each module once. Whether there was a new one.
bool add_modules(Modules& into, const Modules& more);

}  // namespace sockd
