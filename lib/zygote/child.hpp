#pragma once

// A zygote's child on its way to being a container.

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "zygote/peer.hpp"

namespace sock::zygote {

/// Its work has not been confirmed: it is killed with its handle.
class Child {
 public:
  explicit Child(Peer channel) noexcept : channel_{std::move(channel)} {}
  Child(Child&&) noexcept = default;
  Child& operator=(Child&& other) noexcept;
  ~Child();

  /// Waits for its hello. A zygote may name any process of its domain as the sender, so the word is
  /// checked: who is in the domain's own pid namespace (`domain`) is no container, and killing it
  /// would be no help.
  Result<> meet(std::uint64_t domain, Deadline deadline);
  /// meet() would not wait.
  [[nodiscard]] bool is_up() const;

  [[nodiscard]] FdRef pid_namespace() const noexcept { return pid_namespace_; }
  [[nodiscard]] FdRef pidfd() const noexcept { return pidfd_; }
  [[nodiscard]] const Peer& channel() const noexcept { return channel_; }
  UniqueFd keep() && noexcept { return std::move(pidfd_); }

 private:
  Peer channel_;
  UniqueFd pid_namespace_;
  UniqueFd pidfd_;
};

}  // namespace sock::zygote
