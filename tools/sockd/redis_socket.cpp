// connect(2), and what became of it.

#include "redis_socket.hpp"

#include <cerrno>
#include <memory>
#include <string>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "posix.hpp"
#include "redis_errors.hpp"

namespace sockd {
namespace {

using sock::Errc;
using sock::Result;

constexpr const char* unreachable = "it cannot be reached";

Result<sock::UniqueFd> connected(int family, const sockaddr* place, socklen_t size,
                                 const Patience& patience) {
  sock::UniqueFd socket{::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket) return sockctl::last_error("redis");
  if (::connect(socket.get(), place, size) == 0) return socket;
  const auto failed = sockctl::last_error("redis", unreachable);
  if (failed.error().sys_errno != EINPROGRESS) return failed;
  SOCKCTL_TRY(wait_for_socket(socket, POLLOUT, patience));
  SOCKCTL_TRY(sockctl::require_connected(socket, "redis", unreachable));
  return socket;
}

Result<sock::UniqueFd> connect_unix(const std::string& path, const Patience& patience) {
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  path.copy(place.sun_path, sizeof place.sun_path - 1);
  return connected(AF_UNIX, reinterpret_cast<const sockaddr*>(&place), sizeof place, patience);
}

struct FreeAddresses {
  void operator()(addrinfo* first) const noexcept { ::freeaddrinfo(first); }
};

Result<std::unique_ptr<addrinfo, FreeAddresses>> look_up(const RedisAddress& address) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed =
      ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &wanted, &found);
  if (failed != 0) return refuse_redis(Errc::closed, ::gai_strerror(failed));
  return std::unique_ptr<addrinfo, FreeAddresses>{found};
}

Result<sock::UniqueFd> connect_tcp(const RedisAddress& address, const Patience& patience) {
  const auto addresses = SOCKCTL_TRY(look_up(address));
  Result<sock::UniqueFd> socket = refuse_redis(Errc::closed, "its name has no address");
  for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
    socket = connected(each->ai_family, each->ai_addr, each->ai_addrlen, patience);
    if (!socket.has_value()) continue;
    const int at_once = 1;
    ::setsockopt(socket->get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    break;
  }
  return socket;
}

}  // namespace

Result<sock::UniqueFd> connect_to(const RedisAddress& address, const Patience& patience) {
  auto socket =
      address.path.empty() ? connect_tcp(address, patience) : connect_unix(address.path, patience);
  if (socket.has_value()) return socket;
  auto error = std::move(socket).error();
  // Else whoever asks for an object would take a socket that is not there for an object that is
  // not.
  if (error.code != Errc::denied && error.code != Errc::timed_out) error.code = Errc::closed;
  return std::unexpected(std::move(error));
}

Result<> wait_for_socket(sock::FdRef socket, short events, const Patience& patience) {
  pollfd asked{.fd = socket.get(), .events = events, .revents = 0};
  const int ready = SOCKCTL_TRY(sockctl::wait_for({&asked, 1}, patience.end()));
  if (ready == 0) return refuse_redis(Errc::timed_out, "it does not answer");
  return {};
}

}  // namespace sockd
