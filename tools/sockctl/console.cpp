// Pipes or a terminal between a payload and the caller.

#include "console.hpp"

#include <array>
#include <csignal>

namespace sockctl {
namespace {

constexpr sock::FdRef caller_in{0};
constexpr sock::FdRef caller_out{1};
constexpr sock::FdRef caller_err{2};

}  // namespace

Result<Console> Console::make(ConsoleOptions options) {
  Console console;
  console.options_ = options;
  if (options.terminal) return console;
  if (options.interactive) {
    auto in = SOCKCTL_TRY(make_pipe());
    console.in_ = {.payload = std::move(in.reader), .ours = std::move(in.writer)};
    // A payload that reads nothing must not stop the relay.
    SOCKCTL_TRY(set_nonblocking(console.in_.ours));
  }
  auto out = SOCKCTL_TRY(make_pipe());
  console.out_ = {.payload = std::move(out.writer), .ours = std::move(out.reader)};
  auto err = SOCKCTL_TRY(make_pipe());
  console.err_ = {.payload = std::move(err.writer), .ours = std::move(err.reader)};
  return console;
}

sock::Stdio Console::stdio() const {
  if (options_.terminal) return {.terminal = terminal_size(caller_in).value_or(sock::Terminal{})};
  return {.in = in_.payload, .out = out_.payload, .err = err_.payload};
}

Result<> Console::attach(Relay& relay, sock::FdRef master) {
  if (options_.terminal) {
    if (options_.interactive) {
      if (is_terminal(caller_in)) raw_.emplace(SOCKCTL_TRY(RawMode::enter(caller_in)));
      relay.add_input(borrow(caller_in), borrow(master));
    }
    relay.add_output(borrow(master), borrow(caller_out));
    return {};
  }
  in_.payload.reset();
  out_.payload.reset();
  err_.payload.reset();
  if (options_.interactive) relay.add_input(borrow(caller_in), own(std::move(in_.ours)));
  relay.add_output(own(std::move(out_.ours)), borrow(caller_out));
  relay.add_output(own(std::move(err_.ours)), borrow(caller_err));
  return {};
}

void Console::resize(sock::FdRef master) const {
  const auto size = terminal_size(caller_in);
  if (options_.terminal && size) set_terminal_size(master, *size);
}

Result<sock::UniqueFd> foreground_signals() {
  constexpr std::array signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
  // Blocked beside the others, but never read: it only turns write() into an error.
  constexpr std::array unread{SIGPIPE};
  SOCKCTL_TRY(signal_fd(unread));
  return signal_fd(signals);
}

}  // namespace sockctl
