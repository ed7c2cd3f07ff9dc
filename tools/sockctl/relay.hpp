#pragma once

// Copies between descriptors until something happens: how a payload's stdio reaches the caller.
// The payload gets pipes (or a terminal) of its own and never the caller's descriptors, so it can
// neither reopen the caller's files nor change their flags. One buffer of 64 KiB for each stream; a
// slow reader stops its stream and nothing else.

#include <functional>
#include <memory>
#include <vector>

#include "posix.hpp"

namespace sockctl {

/// A descriptor that the relay owns, or borrows.
struct End {
  sock::UniqueFd owned = {};
  sock::FdRef borrowed = {};
  [[nodiscard]] sock::FdRef fd() const { return owned ? owned.ref() : borrowed; }
};
inline End own(sock::UniqueFd fd) {
  return {.owned = std::move(fd), .borrowed = {}};
}
inline End borrow(sock::FdRef fd) {
  return {.owned = {}, .borrowed = fd};
}

enum class Next : std::uint8_t { go_on, stop };

/// Thread-bound.
class Relay {
 public:
  Relay();
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// What the caller types, for the payload. Closing the source closes an owned sink.
  void add_input(End source, End sink);
  /// What the payload prints. drain() reads it to its end.
  void add_output(End source, End sink);
  void watch(sock::FdRef fd, std::function<Result<Next>()> when_readable);

  /// Until a watcher stops it (true) or the deadline (false).
  Result<bool> run(Deadline deadline);
  /// After the payload has ended: copies what its outputs still hold, unless `give_up` becomes
  /// readable while the caller's side takes nothing.
  Result<> drain(sock::FdRef give_up);

 private:
  struct Stream;
  struct Watch {
    sock::FdRef fd;
    std::function<Result<Next>()> when_readable;
  };
  enum class Direction : std::uint8_t { input, output };
  void add(Direction direction, End source, End sink);
  Result<Next> call_watchers(std::span<const pollfd> polled);
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<Watch> watches_;
};

}  // namespace sockctl
