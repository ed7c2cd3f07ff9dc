#pragma once

// The native zygote: loads shared objects, and forks containers that have them.
//
// A single thread that answers one message after another (see lib/wire/message.hpp). Its child
// waits on a channel of its own for its work, and becomes what that says before any byte of the
// payload is read. Nothing of a payload ever reaches the zygote's own memory.

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
  void answer_grow(int channel) noexcept;
  void answer_fork(std::uint64_t namespaces, int channel) noexcept;
  bool load_all(const Request& request, Reason& reason) noexcept;

  int channel_;
  Objects objects_;
};

}  // namespace sock::zygote
