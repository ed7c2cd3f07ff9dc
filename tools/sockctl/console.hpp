#pragma once

// The stdio of one foreground payload, for `run` and `exec`: pipes between it and a Relay, or its
// terminal with the caller's in raw mode.

#include <optional>

#include "sock/spec.hpp"

#include "relay.hpp"
#include "terminal.hpp"

namespace sockctl {

struct ConsoleOptions {
  bool interactive;
  bool terminal;
};

/// Thread-bound. Its destructor gives the caller's terminal back as it was.
class Console {
 public:
  static Result<Console> make(ConsoleOptions options);

  /// What the payload is started with. Valid until attach().
  [[nodiscard]] sock::Stdio stdio() const;
  /// Once the payload runs: gives its ends up and adds the streams to the relay. `master` is the
  /// payload's terminal, if it has one; it stays the caller's.
  Result<> attach(Relay& relay, sock::FdRef master);
  /// After SIGWINCH.
  void resize(sock::FdRef master) const;

 private:
  struct Stream {
    sock::UniqueFd payload;
    sock::UniqueFd ours;
  };
  ConsoleOptions options_{};
  Stream in_;
  Stream out_;
  Stream err_;
  std::optional<RawMode> raw_;
};

/// The signals that a foreground sockctl passes on, blocked from now on. SIGPIPE is blocked too:
/// a reader that went away is an error of write().
Result<sock::UniqueFd> foreground_signals();

}  // namespace sockctl
