#pragma once

// What the payload of an instance prints: read all the time, so that it never waits for us, and the
// end of it kept.

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "sock/fd.hpp"

namespace sockd {

struct Printed {
  std::string text;           ///< The last of it.
  std::uint64_t dropped = 0;  ///< Bytes before that.
};

/// Thread-bound, to the loop.
class Output : public std::enable_shared_from_this<Output> {
 public:
  static std::shared_ptr<Output> follow(boost::asio::io_context& loop, sock::UniqueFd reader);
  Output(boost::asio::io_context& loop, sock::UniqueFd reader);

  /// All that was printed since the last call of this.
  Printed take();
  /// Nothing is read any more.
  void stop();

 private:
  void read_on();
  /// Some of what has come. On failure: nothing has, or nothing will.
  boost::system::error_code read_some();
  void keep(std::string_view text);

  boost::asio::posix::stream_descriptor reader_;
  std::string block_;
  Printed printed_;
};

}  // namespace sockd
