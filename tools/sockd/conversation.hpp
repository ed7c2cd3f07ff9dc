#pragma once

// How an instance is called: what goes to its payload, and what comes back. Payloads are not
// trusted.

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "sock/fd.hpp"

#include "call_line.hpp"

namespace sockd {

/// How a call ended in its instance.
struct Reply {
  enum class Kind : std::uint8_t {
    answered,
    finished,  ///< It has answered and closed its output: its exit status decides.
    late,      ///< Not by the deadline.
    gone,      ///< The payload ended, or closed its channel.
    broken,    ///< What came was no answer.
  } kind;
  std::optional<Answer> answer = {};
  std::string reason = {};
};

/// Our ends of what a payload is called by.
struct Channel {
  enum class Protocol : std::uint8_t {
    calls,    ///< A line for each call, with what a context tells (sock_handler --calls).
    events,   ///< A line for each event (sock/handler.h).
    program,  ///< The event on stdin, the result on stdout, once.
  } protocol;
  sock::UniqueFd to;         ///< A stream socket, or a pipe.
  sock::UniqueFd from = {};  ///< Of `program`: a pipe.
};

/// Thread-bound, to the loop.
class Conversation {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  virtual ~Conversation() = default;
  /// One call at a time, and the next only after `answered`. What `call` refers to must stay.
  virtual boost::asio::awaitable<Reply> call(const Call& call, Deadline deadline) = 0;
  /// Between calls: it has said nothing that would be taken for the next answer, and not left.
  virtual bool is_silent() = 0;
};
/// `workers`: for long answers. Both outlive it.
std::unique_ptr<Conversation> make_conversation(boost::asio::io_context& loop,
                                                boost::asio::thread_pool& workers, Channel channel);

}  // namespace sockd
