#pragma once

// Something that the background Host holds and containers are forked from: a zygote
// (held_zygote.hpp), or an import tree (held_tree.hpp).
//
// Thread-safe. Its life: start() on one thread, then any number of leases, then remove(). It must
// outlive what was forked from it, so remove() waits for the leases.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sock/checkpoint.hpp"
#include "sock/host.hpp"
#include "sock/import_tree.hpp"

#include "run_options.hpp"

namespace sockctl {

class Held {
 public:
  using Tell = std::function<void(const nlohmann::json& event)>;
  struct EndLease {
    void operator()(Held* held) const;
  };
  using Lease = std::unique_ptr<Held, EndLease>;
  struct Forked {
    sock::Container container;
    std::string told;  ///< JSON, about where it came from; empty: nothing to tell.
  };

  /// The root and the limits of its domain are in `options`; so is its name.
  explicit Held(RunOptions options);
  virtual ~Held() = default;
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  [[nodiscard]] const std::string& name() const { return options_.name; }
  [[nodiscard]] const RunOptions& options() const { return options_; }

  /// Telling of each step. Blocking: until it can be forked from.
  Result<> start(sock::Host& host, const Tell& tell);
  /// Makes start() fail soon.
  void abandon();

  /// Leave to fork one container; give it back when the container has been destroyed.
  Result<Lease> lease();
  /// Under a lease. `spec` has the root of this one's domain.
  Result<Forked> fork(sock::ContainerSpec spec, const std::vector<sock::Package>& declared);

  [[nodiscard]] nlohmann::json describe() const;
  [[nodiscard]] Result<nlohmann::json> stats() const;
  /// Writes it into a snapshot. Not of a tree. Blocking: under a lease.
  [[nodiscard]] virtual Result<sock::Snapshot> checkpoint(sock::SnapshotStore& store,
                                                          sock::CheckpointOptions options);
  /// Its import tree as JSON; not of a single zygote.
  [[nodiscard]] virtual Result<std::string> export_tree() const;
  /// Ends it, and by force the containers forked from it. Errc::exists when some run.
  /// Blocking: until all has ended.
  Result<> remove(bool force);

 protected:
  enum class State : std::uint8_t { importing, ready, removed };

  // What kinds differ in. Those marked so are called with mutex_ held.
  virtual Result<> prepare(sock::Host& host, const Tell& tell) = 0;
  virtual Result<Forked> do_fork(const sock::ContainerSpec& spec,
                                 const std::vector<sock::Package>& declared) = 0;
  virtual Result<> check_alive() const = 0;                   ///< mutex_ is held.
  virtual Result<> kill_domain() = 0;                         ///< mutex_ is held.
  virtual Result<sock::Stats> domain_stats() const = 0;       ///< mutex_ is held.
  virtual void describe_more(nlohmann::json& out) const = 0;  ///< mutex_ is held.
  virtual void close() = 0;                                   ///< Nobody uses it any more.

  [[nodiscard]] bool abandoned() const;

  mutable std::mutex mutex_;  ///< Guards all below but options_, and what kinds say.

 private:
  const RunOptions options_;
  const std::string created_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::condition_variable lease_ended_;
  State state_ = State::importing;
  bool abandoned_ = false;
  std::size_t leases_ = 0;
  std::uint64_t forks_ = 0;
};

}  // namespace sockctl
