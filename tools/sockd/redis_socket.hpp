#pragma once

// A socket that is connected to a Redis, and waiting for it.

#include <poll.h>

#include "sock/fd.hpp"

#include "patience.hpp"
#include "redis_address.hpp"

namespace sockd {

/// One that does not wait. Names are looked up by getaddrinfo(3), which knows no patience; of
/// several addresses the first that answers is taken. Blocking. On failure: Errc::closed,
/// Errc::denied or Errc::timed_out.
sock::Result<sock::UniqueFd> connect_to(const RedisAddress& address, const Patience& patience);
/// Until it may have something to read (POLLIN) or room (POLLOUT). On failure: Errc::timed_out.
sock::Result<> wait_for_socket(sock::FdRef socket, short events, const Patience& patience);

}  // namespace sockd
