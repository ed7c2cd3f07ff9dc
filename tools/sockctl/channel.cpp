// Packets on unix sockets. Addresses go through /proc/self/fd, because a path in a socket address
// may have 107 bytes only, and because a directory's descriptor cannot be exchanged for another.

#include "channel.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace sockctl {
namespace {

constexpr std::size_t packet_max = 64U << 10U;
constexpr std::size_t fds_max = 5;  // One of them for a long text.
constexpr std::string_view long_text = "{\"text\":\"in memory\"}";
constexpr int backlog = 64;

sockaddr_un address_of(sock::FdRef dir, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(dir.get()) + "/" + name;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

Result<sock::UniqueFd> make_socket() {
  sock::UniqueFd fd{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
  if (!fd) return last_error("socket");
  return fd;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

std::vector<sock::UniqueFd> take_fds(msghdr& header) {
  std::vector<sock::UniqueFd> fds;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
  return fds;
}

Result<> send_packet(sock::FdRef socket, std::string text, std::span<const sock::FdRef> fds) {
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(fds_max * sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    for (std::size_t i = 0; i < fds.size(); ++i) {
      const int fd = fds[i].get();
      std::memcpy(CMSG_DATA(rights) + i * sizeof(int), &fd, sizeof(int));
    }
  }
  if (::sendmsg(socket.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return last_error("send");
  return {};
}

}  // namespace

Result<sock::UniqueFd> listen_at(sock::FdRef dir, const std::string& name) {
  auto fd = SOCKCTL_TRY(make_socket());
  const auto address = address_of(dir, name);
  if (::bind(fd.get(), generic(address), sizeof(address)) != 0) return last_error(name);
  if (::listen(fd.get(), backlog) != 0) return last_error(name);
  return fd;
}

Result<> remove_socket_at(sock::FdRef dir, const std::string& name) {
  if (::unlinkat(dir.get(), name.c_str(), 0) == 0) return {};
  auto error = last_error(name);
  if (error.error().code == Errc::not_found) return {};
  return error;
}

Result<sock::UniqueFd> connect_at(sock::FdRef dir, const std::string& name) {
  auto fd = SOCKCTL_TRY(make_socket());
  const auto address = address_of(dir, name);
  // Non-blocking for the call only: a stopped monitor with a full backlog must not hold us up.
  SOCKCTL_TRY(set_nonblocking(fd));
  if (::connect(fd.get(), generic(address), sizeof(address)) != 0) return last_error(name);
  return fd;
}

Result<std::optional<sock::UniqueFd>> accept_own(sock::FdRef listener) {
  sock::UniqueFd fd{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
  if (!fd) return last_error("accept");
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return last_error("SO_PEERCRED");
  if (peer.uid != ::geteuid() && peer.uid != 0) return std::optional<sock::UniqueFd>{};
  return std::optional{std::move(fd)};
}

Result<> send_message(sock::FdRef socket, const nlohmann::json& body,
                      std::span<const sock::FdRef> fds) {
  const std::string text = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (text.size() > message_max || fds.size() >= fds_max)
    return refuse(Errc::exhausted, Stage::none,
                  "message of " + std::to_string(text.size()) + " bytes", "at most 128 MiB");
  if (text.size() <= packet_max) return send_packet(socket, text, fds);
  const auto memory = SOCKCTL_TRY(make_memory_file());
  SOCKCTL_TRY(write_all(memory, text));
  SOCKCTL_TRY(rewind_file(memory));
  std::vector<sock::FdRef> all{fds.begin(), fds.end()};
  all.push_back(memory);
  return send_packet(socket, std::string{long_text}, all);
}

Result<std::optional<Message>> receive_message(sock::FdRef socket) {
  pollfd ready{.fd = socket.get(), .events = POLLIN, .revents = 0};
  SOCKCTL_TRY(wait_for({&ready, 1}, {}));
  std::string text(packet_max, '\0');
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(fds_max * sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(socket.get(), &header, MSG_CMSG_CLOEXEC);
  if (size < 0) return last_error("receive");
  Message message{.text = {}, .fds = take_fds(header)};
  if (size == 0) return std::optional<Message>{};
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
    return refuse(Errc::corrupt, Stage::none, "a message that is too long");
  text.resize(static_cast<std::size_t>(size));
  if (text == long_text && !message.fds.empty()) {
    text = SOCKCTL_TRY(read_all(message.fds.back(), message_max));
    message.fds.pop_back();
  }
  message.text = std::move(text);
  return std::optional{std::move(message)};
}

}  // namespace sockctl
