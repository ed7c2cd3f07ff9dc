#pragma once

// Messages with at most one descriptor each, over a socket of messages to somebody who is not
// trusted.

#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "sock/fd.hpp"

namespace sockd {

struct BusMessage {
  std::string text;
  sock::UniqueFd file = {};
};

/// Thread-bound, to the loop.
class BusSocket {
 public:
  BusSocket(boost::asio::io_context& loop, sock::UniqueFd socket, std::size_t most)
      : socket_{loop, socket.release()}, most_{most} {}

  /// Nothing: the other end is closed, has sent something else, or close() was called.
  boost::asio::awaitable<std::optional<BusMessage>> receive();
  /// false as above. Waits while the other end does not read.
  boost::asio::awaitable<bool> send(std::string text, sock::FdRef file);
  /// Open, and with nothing unread at either end.
  [[nodiscard]] bool is_at_rest();
  void close();

 private:
  boost::asio::posix::stream_descriptor socket_;
  std::size_t most_;
};

}  // namespace sockd
