// Lines over a socket, or the streams of a program.

#include "conversation.hpp"

#include <functional>
#include <optional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "blocking.hpp"
#include "readable.hpp"

namespace sockd {
namespace {

namespace asio = boost::asio;
using Deadline = Conversation::Deadline;

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
// An error's traceback may be longer than a result.
constexpr std::size_t most_line = most_payload + (64U << 10U);

/// Ends what waits, at a deadline, by closing it: what has just come in and is not yet known here
/// would outlive a cancel(), and be followed by another wait. The timer may come to it after the
/// call is over, and finds nothing to do then.
class Alarm {
 public:
  Alarm(const asio::any_io_executor& executor, Deadline deadline, std::function<void()> ring)
      : state_{std::make_shared<State>(State{.ring = std::move(ring)})},
        timer_{executor, deadline} {
    timer_.async_wait([state = state_](boost::system::error_code failed) {
      if (failed || !state->ring) return;
      state->has_rung = true;
      state->ring();
    });
  }
  ~Alarm() { state_->ring = nullptr; }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  [[nodiscard]] bool has_rung() const noexcept { return state_->has_rung; }

 private:
  struct State {
    std::function<void()> ring;
    bool has_rung = false;
  };
  std::shared_ptr<State> state_;
  asio::steady_timer timer_;
};

class Lines : public Conversation {
 public:
  Lines(asio::io_context& loop, asio::thread_pool& workers, Channel channel)
      : workers_{workers},
        protocol_{channel.protocol},
        socket_{loop, asio::local::stream_protocol{}, channel.to.release()} {}

  asio::awaitable<Reply> call(const Call& call, Deadline deadline) override {
    const std::string line =
        protocol_ == Channel::Protocol::calls ? line_of(call) : line_of(call.event);
    std::optional<Alarm> alarm;
    alarm.emplace(socket_.get_executor(), deadline, [this] {
      boost::system::error_code ignored;
      socket_.close(ignored);
    });
    auto [unsent, written] = co_await asio::async_write(socket_, asio::buffer(line), as_values);
    boost::system::error_code failed = unsent;
    std::size_t size = 0;
    if (!failed) {
      auto buffer = asio::dynamic_buffer(received_, most_line);
      auto [unread, read] = co_await asio::async_read_until(socket_, buffer, '\n', as_values);
      failed = unread;
      size = read;
    }
    if (alarm->has_rung()) co_return Reply{.kind = Reply::Kind::late};
    alarm.reset();  // It was in time: how long we read is not its business.
    if (failed == asio::error::not_found)
      co_return Reply{.kind = Reply::Kind::broken, .reason = "its answer is too long"};
    if (failed) co_return Reply{.kind = Reply::Kind::gone};
    // Nobody has asked for more than one.
    if (received_.size() != size)
      co_return Reply{.kind = Reply::Kind::broken, .reason = "it says more than it was asked"};
    received_.pop_back();
    auto parse = [this] { return parse_answer(received_); };
    auto answer = co_await run_by_size(workers_, received_.size(), parse);
    received_.clear();
    if (!answer.has_value())
      co_return Reply{.kind = Reply::Kind::broken, .reason = "it answers with something else"};
    co_return Reply{.kind = Reply::Kind::answered, .answer = std::move(*answer)};
  }

  bool is_silent() override {
    return socket_.is_open() && !is_readable(sock::FdRef{socket_.native_handle()});
  }

 private:
  asio::thread_pool& workers_;
  Channel::Protocol protocol_;
  asio::local::stream_protocol::socket socket_;
  std::string received_ = {};
};

/// The streams must not be waited for one after another: a program may write before it has read.
class Program : public Conversation {
 public:
  Program(asio::io_context& loop, asio::thread_pool& workers, Channel channel)
      : workers_{workers},
        state_{std::make_shared<State>(State{.input = {loop, channel.to.release()},
                                             .output = {loop, channel.from.release()}})} {}

  asio::awaitable<Reply> call(const Call& call, Deadline deadline) override {
    state_->event = call.event;
    asio::async_write(state_->input, asio::buffer(state_->event),
                      // A program may end without having read all of it.
                      [state = state_](boost::system::error_code, std::size_t) {
                        boost::system::error_code ignored;
                        state->input.close(ignored);
                      });
    const Alarm alarm{state_->output.get_executor(), deadline, [this] {
                        boost::system::error_code ignored;
                        state_->output.close(ignored);
                      }};
    std::string text;
    auto buffer = asio::dynamic_buffer(text, most_payload + 1);
    auto [failed, size] = co_await asio::async_read(state_->output, buffer, as_values);
    boost::system::error_code ignored;
    state_->input.close(ignored);
    if (alarm.has_rung()) co_return Reply{.kind = Reply::Kind::late};
    if (text.size() > most_payload)
      co_return Reply{.kind = Reply::Kind::broken, .reason = "its answer is too long"};
    if (failed != asio::error::eof) co_return Reply{.kind = Reply::Kind::gone};
    auto parse = [&text] { return answer_of_output(text); };
    Answer answer = co_await run_by_size(workers_, text.size(), parse);
    co_return Reply{.kind = Reply::Kind::finished, .answer = std::move(answer)};
  }

  bool is_silent() override { return true; }  // It is called once.

 private:
  struct State {
    asio::posix::stream_descriptor input;
    asio::posix::stream_descriptor output;
    std::string event = {};
  };
  asio::thread_pool& workers_;
  std::shared_ptr<State> state_;
};

}  // namespace

std::unique_ptr<Conversation> make_conversation(asio::io_context& loop, asio::thread_pool& workers,
                                                Channel channel) {
  if (channel.protocol == Channel::Protocol::program)
    return std::make_unique<Program>(loop, workers, std::move(channel));
  return std::make_unique<Lines>(loop, workers, std::move(channel));
}

}  // namespace sockd
