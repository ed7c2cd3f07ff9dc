#pragma once

// The Host's end of a channel to a zygote or to a child of one. The other end may be hostile: every
// wait has a deadline, every message is checked, and the kernel lets no descriptor through.

#include <chrono>
#include <span>
#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "wire/message.hpp"

namespace sock::zygote {

using Deadline = std::chrono::steady_clock::time_point;

struct Descriptor {
  wire::RoleEntry role;
  FdRef file;
};

class Peer {
 public:
  /// A channel whose other end is to be given away. On failure: no stage.
  struct Ends;
  static Result<Ends> make();

  Peer() = default;
  explicit Peer(UniqueFd socket) noexcept : socket_{std::move(socket)} {}
  [[nodiscard]] FdRef socket() const noexcept { return socket_; }
  explicit operator bool() const noexcept { return static_cast<bool>(socket_); }

  /// Never blocks: Errc::exhausted when the other end does not read.
  Result<> send(std::span<const std::byte> message, std::span<const FdRef> files) const;

  struct Received {
    std::vector<std::byte> bytes;
    UniqueFd sender;  ///< A pidfd.
  };
  /// Any message of at most `most` bytes. Errc::timed_out at the deadline, Errc::closed at the end.
  Result<Received> receive(Deadline deadline, std::size_t most = most_answer) const;
  /// A message of that kind; `failed` becomes an Error with the other end's reason.
  Result<Received> expect(wire::Kind kind, Deadline deadline, std::size_t most = most_answer) const;

 private:
  // Hello, report and imported are short; a reason is at most 16 KiB.
  static constexpr std::size_t most_answer = std::size_t{20} << 10U;
  UniqueFd socket_;
};

struct Peer::Ends {
  Peer here;
  UniqueFd there;
};

}  // namespace sock::zygote
