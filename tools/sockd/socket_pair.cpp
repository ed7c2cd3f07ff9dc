// By socketpair(2).

#include "socket_pair.hpp"

#include <array>

#include <sys/socket.h>

#include "posix.hpp"

namespace sockd {

sock::Result<SocketPair> make_socket_pair(SocketKind kind) {
  std::array<int, 2> ends{};
  const int type = kind == SocketKind::stream ? SOCK_STREAM : SOCK_SEQPACKET;
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return sockctl::last_error("socketpair");
  return SocketPair{.ours = sock::UniqueFd{ends[0]}, .theirs = sock::UniqueFd{ends[1]}};
}

}  // namespace sockd
