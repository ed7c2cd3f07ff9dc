// The channel is a stream socket; a line each way.

#include "instance.hpp"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "posix.hpp"

namespace sockd {
namespace {

namespace asio = boost::asio;

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
// An error's traceback may be longer than a result.
constexpr std::size_t most_line = most_payload + (64U << 10U);

}  // namespace

/// Ends what waits at the channel. It may ring after the call is over, and does nothing then.
struct Instance::Alarm {
  asio::local::stream_protocol::socket* channel;
  bool has_rung = false;
};

Instance::Instance(asio::io_context& loop, StartedInstance started)
    : realm_{std::move(started.realm)},
      container_{std::move(started.container)},
      channel_{loop, asio::local::stream_protocol{}, started.channel.release()},
      output_{Output::follow(loop, std::move(started.output))},
      path_{std::move(started.path)},
      zygote_{std::move(started.zygote)},
      fallback_{std::move(started.fallback)} {}

Instance::~Instance() {
  output_->stop();
}

bool Instance::is_alive() const {
  pollfd end{.fd = container_.pidfd().get(), .events = POLLIN, .revents = 0};
  const auto ready = sockctl::wait_for({&end, 1}, Clock::now());
  return ready.has_value() && *ready == 0;
}

asio::awaitable<Reply> Instance::call(std::string line, Clock::time_point deadline) {
  const auto alarm = std::make_shared<Alarm>(&channel_);
  asio::steady_timer timer{channel_.get_executor(), deadline};
  timer.async_wait([alarm](boost::system::error_code failed) {
    if (failed || alarm->channel == nullptr) return;
    alarm->has_rung = true;
    boost::system::error_code ignored;
    alarm->channel->cancel(ignored);
  });
  auto [unsent, written] = co_await asio::async_write(channel_, asio::buffer(line), as_values);
  boost::system::error_code failed = unsent;
  std::size_t size = 0;
  if (!failed) {
    auto buffer = asio::dynamic_buffer(received_, most_line);
    auto [unread, read] = co_await asio::async_read_until(channel_, buffer, '\n', as_values);
    failed = unread;
    size = read;
  }
  alarm->channel = nullptr;
  if (alarm->has_rung) co_return Reply{.kind = Reply::Kind::late};
  if (failed == asio::error::not_found)
    co_return Reply{.kind = Reply::Kind::broken, .reason = "its answer is too long"};
  if (failed) co_return Reply{.kind = Reply::Kind::gone};
  // Nobody has asked for more than one.
  if (received_.size() != size)
    co_return Reply{.kind = Reply::Kind::broken, .reason = "it says more than it was asked"};
  received_.pop_back();
  auto answer = parse_answer(received_);
  received_.clear();
  if (!answer.has_value())
    co_return Reply{.kind = Reply::Kind::broken, .reason = "it answers with something else"};
  co_return Reply{.kind = Reply::Kind::answered, .answer = std::move(*answer)};
}

}  // namespace sockd
