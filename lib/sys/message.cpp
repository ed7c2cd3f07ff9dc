// sendmsg and recvmsg with SCM_RIGHTS.

#include "sys/message.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <sys/socket.h>

#include "base/try.hpp"
#include "sys/error.hpp"

namespace sock::sys {
namespace {

// KERNEL: since 6.5; the headers of Debian 12 have neither.
constexpr int so_passpidfd = 76;
constexpr int scm_pidfd = 4;
// KERNEL: since 6.16.
constexpr int so_passrights = 83;

// KERNEL: SCM_MAX_FD, of one message.
constexpr std::size_t most_descriptors = 253;
constexpr std::size_t control_size =
    CMSG_SPACE(most_descriptors * sizeof(int)) + CMSG_SPACE(sizeof(int));

// Whatever was received is owned before anything is judged.
void take_descriptors(msghdr& header, Message& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET) continue;
    if (part->cmsg_type != SCM_RIGHTS && part->cmsg_type != scm_pidfd) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      if (part->cmsg_type == scm_pidfd)
        message.sender.reset(fd);
      else
        message.descriptors.emplace_back(fd);
    }
  }
}

}  // namespace

Result<SocketPair> make_message_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return sys_error(errno, "socketpair");
  return SocketPair{.here = UniqueFd{ends[0]}, .there = UniqueFd{ends[1]}};
}

Result<> name_senders(FdRef socket) {
  const int on = 1;
  if (::setsockopt(socket.get(), SOL_SOCKET, so_passpidfd, &on, sizeof on) < 0)
    return sys_error(errno, "SO_PASSPIDFD");
  return {};
}

Result<> refuse_descriptors(FdRef socket) {
  const int off = 0;
  if (::setsockopt(socket.get(), SOL_SOCKET, so_passrights, &off, sizeof off) < 0)
    return sys_error(errno, "SO_PASSRIGHTS");
  return {};
}

Result<> send_message(FdRef socket, std::span<const std::byte> bytes,
                      std::span<const FdRef> descriptors) {
  if (descriptors.size() > most_descriptors) return sys_error(E2BIG, "descriptors of a message");
  alignas(cmsghdr) std::array<char, control_size> control;
  // sendmsg() only reads it; its prototype is older than const.
  iovec data{.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
    cmsghdr* const part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
      const int fd = descriptors[i].get();
      std::memcpy(CMSG_DATA(part) + i * sizeof fd, &fd, sizeof fd);
    }
  }
  const auto sent =
      retry([&] { return ::sendmsg(socket.get(), &header, MSG_DONTWAIT | MSG_NOSIGNAL); });
  if (sent < 0) return sys_error(errno, "message");
  return {};
}

Result<Message> receive_message(FdRef socket, std::span<std::byte> buffer) {
  alignas(cmsghdr) std::array<char, control_size> control;
  iovec data{.iov_base = buffer.data(), .iov_len = buffer.size()};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  // Room first: a descriptor that was received must find an owner.
  Message message{};
  message.descriptors.reserve(most_descriptors);
  const auto size =
      retry([&] { return ::recvmsg(socket.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC); });
  if (size < 0) return sys_error(errno, "message");
  take_descriptors(header, message);
  if (size == 0)
    return base::refuse(Errc::closed, Stage::none, "message", "the other end has gone");
  message.size = static_cast<std::size_t>(size);
  message.truncated = (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  return message;
}

}  // namespace sock::sys
