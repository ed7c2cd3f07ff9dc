#pragma once

// A connection to a Redis: one command, one answer.

#include <span>
#include <string>
#include <string_view>

#include "sock/fd.hpp"

#include "patience.hpp"
#include "redis_address.hpp"
#include "redis_protocol.hpp"
#include "sealed_memory.hpp"

namespace sockd {

/// A command, and behind its words, where there is an object, one more: its version and its
/// content.
struct RedisCommand {
  std::span<const std::string_view> words;
  std::string_view version = {};
  const SealedObject* object = nullptr;
};

/// Of an object is sent and received at a time, so that none is in our memory as a whole.
inline constexpr std::size_t redis_piece = 256U << 10U;

/// Thread-bound. All of it blocks, until the patience ends: then Errc::timed_out.
class RedisConnection {
 public:
  /// Looks up a name, which may take longer, and shows the password where there is one. Redis may
  /// be used then. On failure: Errc::closed, Errc::denied, ...
  static sock::Result<RedisConnection> open(const RedisAccess& access, Patience& patience);

  /// An error that Redis tells is an answer. After a failure nobody knows whether the command was
  /// carried out, and the connection is of no use any more.
  sock::Result<RedisReply> ask(const RedisCommand& command, Patience& patience);
  /// Whether Redis still seems to be there. It never speaks first: what can be read is its end.
  [[nodiscard]] bool is_usable() const;

 private:
  explicit RedisConnection(sock::UniqueFd socket) noexcept : socket_{std::move(socket)} {}
  sock::Result<> send(std::string_view bytes, Patience& patience) const;
  sock::Result<> send(const RedisCommand& command, Patience& patience) const;

  sock::UniqueFd socket_;
};

}  // namespace sockd
