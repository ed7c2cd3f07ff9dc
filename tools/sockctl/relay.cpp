// The poll loop of a foreground container.

#include "relay.hpp"

#include <algorithm>
#include <array>

#include <limits.h>
#include <sys/stat.h>

namespace sockctl {
namespace {

// A pipe that polls as writable takes PIPE_BUF bytes without blocking, and the caller's descriptors
// may not be made non-blocking: others share them. Files never block for long.
std::size_t write_limit(sock::FdRef sink) {
  struct stat status {};
  const bool file = ::fstat(sink.get(), &status) == 0 && S_ISREG(status.st_mode);
  return file ? SIZE_MAX : PIPE_BUF;
}

}  // namespace

struct Relay::Stream {
  Direction direction;
  End source;
  End sink;
  std::size_t limit;
  std::array<char, 64U << 10U> buffer = {};
  std::size_t begin = 0;
  std::size_t end = 0;
  bool finished = false;

  [[nodiscard]] bool empty() const { return begin == end; }
  [[nodiscard]] pollfd wanted() const {
    if (finished) return {.fd = -1, .events = 0, .revents = 0};
    if (empty()) return {.fd = source.fd().get(), .events = POLLIN, .revents = 0};
    return {.fd = sink.fd().get(), .events = POLLOUT, .revents = 0};
  }
  void finish() {
    finished = true;
    source = {};
    sink = {};
  }
  // One read or one write. An error of either end is its end: a terminal reports EIO when the last
  // process has closed it, a pipe EPIPE.
  void step() {
    if (empty()) {
      const auto count = read_some(source.fd(), buffer);
      if (!count.has_value() && would_block(count.error())) return;
      if (!count.has_value() || *count == 0) return finish();
      begin = 0;
      end = *count;
    } else {
      const auto count =
          write_some(sink.fd(), {buffer.data() + begin, std::min(end - begin, limit)});
      if (count.has_value()) {
        begin += *count;
      } else if (!would_block(count.error())) {
        finish();
      }
    }
  }
};

Relay::Relay() = default;
Relay::~Relay() = default;

void Relay::add(Direction direction, End source, End sink) {
  const std::size_t limit = write_limit(sink.fd());
  auto stream = std::make_unique<Stream>();
  stream->direction = direction;
  stream->source = std::move(source);
  stream->sink = std::move(sink);
  stream->limit = limit;
  streams_.push_back(std::move(stream));
}

void Relay::add_input(End source, End sink) {
  add(Direction::input, std::move(source), std::move(sink));
}

void Relay::add_output(End source, End sink) {
  add(Direction::output, std::move(source), std::move(sink));
}

void Relay::watch(sock::FdRef fd, std::function<Result<Next>()> when_readable) {
  watches_.push_back({.fd = fd, .when_readable = std::move(when_readable)});
}

Result<Next> Relay::call_watchers(std::span<const pollfd> polled) {
  for (std::size_t i = 0; i < polled.size(); ++i)
    if (polled[i].revents != 0 && SOCKCTL_TRY(watches_[i].when_readable()) == Next::stop)
      return Next::stop;
  return Next::go_on;
}

Result<bool> Relay::run(Deadline deadline) {
  std::vector<pollfd> fds(watches_.size() + streams_.size());
  for (;;) {
    std::transform(watches_.begin(), watches_.end(), fds.begin(), [](const Watch& watch) {
      return pollfd{.fd = watch.fd.get(), .events = POLLIN, .revents = 0};
    });
    for (std::size_t i = 0; i < streams_.size(); ++i)
      fds[watches_.size() + i] = streams_[i]->wanted();
    if (SOCKCTL_TRY(wait_for(fds, deadline)) == 0) return false;
    for (std::size_t i = 0; i < streams_.size(); ++i)
      if (fds[watches_.size() + i].revents != 0) streams_[i]->step();
    if (SOCKCTL_TRY(call_watchers(std::span{fds}.first(watches_.size()))) == Next::stop)
      return true;
  }
}

Result<> Relay::drain(sock::FdRef give_up) {
  for (const auto& stream : streams_) {
    if (stream->direction == Direction::input) stream->finish();
    // The reading ends of outputs are ours alone, so their flags are too.
    if (!stream->finished) SOCKCTL_TRY(set_nonblocking(stream->source.fd()));
  }
  for (const auto& stream : streams_) {
    while (!stream->finished) {
      if (!stream->empty()) {
        std::array<pollfd, 2> fds{stream->wanted(),
                                  pollfd{.fd = give_up.get(), .events = POLLIN, .revents = 0}};
        SOCKCTL_TRY(wait_for(fds, {}));
        if (fds[1].revents != 0) return {};
      }
      const bool reading = stream->empty();
      stream->step();
      if (reading && stream->empty()) stream->finish();
    }
  }
  return {};
}

}  // namespace sockctl
