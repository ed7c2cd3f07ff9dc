// recvmsg and send on a sequenced-packet socket.

#include "server/channel.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sock::zygote {

namespace {

// Its pages are touched only by long messages.
alignas(4096) std::byte memory[wire::most_bytes];

}  // namespace

Inbox::Inbox() noexcept : memory_{memory} {}

Inbox::~Inbox() {
  drop();
}

void Inbox::rehearse() noexcept {
  constexpr std::size_t usual = 8192;  // The most of it is the filter.
  std::memset(memory_, 0, usual);
}

void Inbox::drop() noexcept {
  for (std::size_t i = 0; i < descriptor_count_; ++i)
    if (descriptors_[i] >= 0) ::close(descriptors_[i]);
  descriptor_count_ = 0;
  size_ = 0;
}

int Inbox::take_descriptor(std::size_t index) noexcept {
  return std::exchange(descriptors_[index], -1);
}

Inbox::Outcome Inbox::receive(int channel) noexcept {
  drop();
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptors_)];
  iovec data{.iov_base = memory_, .iov_len = wire::most_bytes};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t size = -1;
  do {
    size = ::recvmsg(channel, &header, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size <= 0) return Outcome::end;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::memcpy(descriptors_ + descriptor_count_, CMSG_DATA(part), count * sizeof(int));
    descriptor_count_ += count;
  }
  size_ = static_cast<std::size_t>(size);
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) return Outcome::message;
  drop();
  return Outcome::refused;
}

bool wait_for_message(int channel, int milliseconds) noexcept {
  pollfd waiting{.fd = channel, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, milliseconds) != 0;
}

bool send(int channel, std::span<const std::byte> message) noexcept {
  ssize_t sent = -1;
  do {
    sent = ::send(channel, message.data(), message.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

bool say_hello(int channel) noexcept {
  std::byte text[64];
  return send(channel, wire::Writer{text, wire::Kind::hello}.message());
}

bool say_imported(int channel, std::uint64_t elapsed_ns) noexcept {
  std::byte text[64];
  wire::Writer writer{text, wire::Kind::loaded};
  writer.put_value(wire::Field::elapsed_ns, elapsed_ns);
  return send(channel, writer.message());
}

bool say_failed(int channel, std::string_view reason, int sys_errno) noexcept {
  constexpr std::size_t most_reason = 16384;
  std::byte text[most_reason + 64];
  wire::Writer writer{text, wire::Kind::failed};
  // Not substr(), which may throw: the C++ library is not here.
  writer.put(wire::Field::reason, reason.data(), std::min(reason.size(), most_reason));
  writer.put_value(wire::Field::sys_errno, static_cast<std::uint32_t>(sys_errno));
  return send(channel, writer.message());
}

}  // namespace sock::zygote
