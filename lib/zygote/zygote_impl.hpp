#pragma once

// The state behind Zygote and ZygoteDomain.

#include <deque>
#include <mutex>
#include <optional>

#include "sock/zygote.hpp"

#include "container/launch.hpp"
#include "container/workshop.hpp"
#include "zygote/peer.hpp"
#include "zygote/spare.hpp"

namespace sock {

namespace zygote {
/// Where the zygotes of a domain are.
struct Home {
  pid_t keeper;                 ///< The domain's first process.
  std::uint64_t pid_namespace;  ///< Its inode.
};
}  // namespace zygote

struct Zygote::Impl {
  container::Workshop& workshop;
  const UserNamespace maps;
  const std::shared_ptr<const ZygoteDomainSpec> domain;
  zygote::Peer channel;
  UniqueFd pidfd;
  pid_t pid;
  zygote::Home home;
  std::chrono::nanoseconds import_time{0};

  /// Sends for a child; its hello is waited for by whoever uses it.
  enum class Urgency : std::uint8_t { now, no_hurry };
  Result<zygote::Child> request_child(std::uint64_t namespaces, Urgency urgency = Urgency::now);
  /// One that is up, and has been met.
  std::optional<zygote::Spare> take_spare();
  /// Asks for as many spares as there should be more.
  Result<> refill();
  /// Sends for a child that stands still (zygote/parked.hpp).
  Result<zygote::Peer> request_parked();

  /// For each message from the zygote or a child.
  [[nodiscard]] std::chrono::milliseconds deadline() const noexcept { return domain->deadline; }

  std::mutex refilling = {};  // held by whoever is at it; never waited for
  std::mutex mutex = {};      // guards what follows
  std::size_t wanted_spares = 0;
  std::deque<zygote::Spare> spares = {};

 private:
  Result<zygote::Spare> request_spare();
  std::optional<zygote::Spare> find_spare_that_is_up();
  bool keep(zygote::Spare&& spare);
};

namespace zygote {
/// What a container without a network gets of its own, CLONE_NEW*; and so what spares have. Where
/// nothing scopes abstract sockets, as in a created container, that is a network namespace as well.
[[nodiscard]] std::uint64_t usual_namespaces(const container::Workshop& workshop) noexcept;

/// The inode of a pid namespace.
Result<std::uint64_t> identity_of(FdRef pid_namespace);

/// A sender may be any process that the zygote names: one of a container of the domain, or the
/// keeper, with whom all of the domain would be killed, cannot be what was asked for.
/// On failure: Errc::corrupt.
Result<> require_zygote(FdRef sender, const Home& home);

/// Waits for the hello of a new zygote at the other end. On failure: Errc::corrupt for a process
/// that cannot be one.
Result<std::unique_ptr<Zygote::Impl>> adopt(container::Workshop& workshop,
                                            const UserNamespace& maps,
                                            std::shared_ptr<const ZygoteDomainSpec> domain,
                                            Peer channel, Home home);

/// Starts the first process of a forked container. On failure nothing is left of it.
Result<container::Launched> launch_forked(Zygote::Impl& zygote, const ContainerSpec& spec);

}  // namespace zygote

}  // namespace sock
