#pragma once

// Both ends of a stream between us and a payload.

#include "sock/fd.hpp"

#include "try.hpp"

namespace sockd {

struct SocketPair {
  sock::UniqueFd ours;
  sock::UniqueFd theirs;
};
sock::Result<SocketPair> make_socket_pair();

}  // namespace sockd
