// recvmsg(2) and sendmsg(2) when the loop says that they will not wait.

#include "bus_socket.hpp"

#include <array>
#include <cstring>
#include <vector>

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "posix.hpp"
#include "readable.hpp"

namespace sockd {
namespace {

namespace asio = boost::asio;

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t most_files = 4;  // More than one are closed.

struct Control {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * most_files)> bytes{};
};

/// Every descriptor of a message, so that none is left open.
std::vector<sock::UniqueFd> files_of(msghdr& header) {
  std::vector<sock::UniqueFd> files;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int file = -1;
      std::memcpy(&file, CMSG_DATA(part) + i * sizeof file, sizeof file);
      files.emplace_back(file);
    }
  }
  return files;
}

}  // namespace

asio::awaitable<std::optional<BusMessage>> BusSocket::receive() {
  auto [failed] = co_await socket_.async_wait(asio::posix::descriptor_base::wait_read, as_values);
  if (failed) co_return std::nullopt;
  BusMessage message{.text = std::string(most_, '\0')};
  iovec part{.iov_base = message.text.data(), .iov_len = most_};
  Control control;
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes.data();
  header.msg_controllen = control.bytes.size();
  const auto size = ::recvmsg(socket_.native_handle(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0 && sockctl::would_block(sockctl::last_error("").error())) co_return BusMessage{};
  if (size <= 0) co_return std::nullopt;
  auto files = files_of(header);
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || files.size() > 1)
    co_return std::nullopt;
  message.text.resize(static_cast<std::size_t>(size));
  if (!files.empty()) message.file = std::move(files.front());
  co_return message;
}

asio::awaitable<bool> BusSocket::send(std::string text, sock::FdRef file) {
  for (;;) {
    auto [failed] =
        co_await socket_.async_wait(asio::posix::descriptor_base::wait_write, as_values);
    if (failed) co_return false;
    iovec part{.iov_base = text.data(), .iov_len = text.size()};
    Control control;
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (file) {
      header.msg_control = control.bytes.data();
      header.msg_controllen = CMSG_SPACE(sizeof(int));
      cmsghdr* const first = CMSG_FIRSTHDR(&header);
      first->cmsg_level = SOL_SOCKET;
      first->cmsg_type = SCM_RIGHTS;
      first->cmsg_len = CMSG_LEN(sizeof(int));
      const int number = file.get();
      std::memcpy(CMSG_DATA(first), &number, sizeof number);
    }
    if (::sendmsg(socket_.native_handle(), &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
      co_return true;
    if (!sockctl::would_block(sockctl::last_error("").error())) co_return false;
  }
}

bool BusSocket::is_at_rest() {
  if (!socket_.is_open()) return false;
  int unread = 0;  // Bytes, with what the kernel needs for them.
  return !is_readable(sock::FdRef{socket_.native_handle()}) &&
         ::ioctl(socket_.native_handle(), SIOCOUTQ, &unread) == 0 && unread == 0;
}

void BusSocket::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace sockd
