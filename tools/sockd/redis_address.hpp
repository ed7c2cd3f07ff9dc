#pragma once

// Where a Redis listens. Pure.

#include <cstdint>
#include <string>
#include <string_view>

#include "try.hpp"

namespace sockd {

struct RedisAddress {
  std::string path = {};   ///< Of a unix socket; empty: TCP.
  std::string host = {};   ///< A name, or an address without brackets.
  std::uint16_t port = 0;  ///< With a host.
  friend bool operator==(const RedisAddress&, const RedisAddress&) = default;
};

/// How a Redis is reached.
struct RedisAccess {
  RedisAddress address;
  std::string user = {};      ///< Empty: the default one.
  std::string password = {};  ///< Empty: it asks for none.
};

/// "unix:/PATH", "HOST:PORT" or "[ADDRESS]:PORT". On failure: Errc::invalid_spec.
sock::Result<RedisAddress> parse_redis_address(std::string_view text);

}  // namespace sockd
