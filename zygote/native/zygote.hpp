#pragma once

// The native zygote: loads shared objects, and forks containers that have them.
//
// A single thread that answers one message after another (see lib/wire/message.hpp). Its child
// waits on a channel of its own for its work, and becomes what that says before any byte of the
// payload is read. Nothing of a payload ever reaches the zygote's own memory.

#include <cstddef>
#include <cstdint>

#include "native/objects.hpp"
#include "server/request.hpp"

namespace sock::zygote {

class Zygote {
 public:
  explicit Zygote(int channel) noexcept : channel_{channel} {}
  Zygote(const Zygote&) = delete;
  Zygote& operator=(const Zygote&) = delete;

  /// Returns at the channel's end.
  void serve() noexcept;

 private:
  void answer(const Request& request) noexcept;
  void answer_load(const Request& request) noexcept;
  void answer_spare(const Request& request) noexcept;
  void answer_grow(int channel) noexcept;
  void answer_park(int channel) noexcept;
  enum class Child : std::uint8_t { container, spare };
  void answer_fork(std::uint64_t namespaces, int channel, Child what) noexcept;
  bool load_all(const Request& request, Reason& reason) noexcept;
  void fork_oldest_spare() noexcept;
  void forget_spares() noexcept;

  static constexpr std::size_t most_spares = 64;
  struct Spare {
    std::uint64_t namespaces;
    int channel;
  };

  int channel_;
  Objects objects_;
  Spare spares_[most_spares];  ///< Asked for, and can wait. The oldest first.
  std::size_t spare_count_ = 0;
};

}  // namespace sock::zygote
