#pragma once

// Both ends of what is between us and a payload.

#include "sock/fd.hpp"

#include "try.hpp"

namespace sockd {

struct SocketPair {
  sock::UniqueFd ours;
  sock::UniqueFd theirs;
};
enum class SocketKind : std::uint8_t { stream, messages };
sock::Result<SocketPair> make_socket_pair(SocketKind kind);

}  // namespace sockd
