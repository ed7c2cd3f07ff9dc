#pragma once

// Messages with descriptors over sequenced-packet sockets: each is whole or not there at all.

#include <cstddef>
#include <span>
#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

struct SocketPair {
  UniqueFd here;
  UniqueFd there;
};
Result<SocketPair> make_message_pair();
/// What arrives at this end from now on tells who has sent it.
/// KERNEL: since 6.5.
Result<> name_senders(FdRef socket);
/// What is sent to this end from now on is refused (EPERM, to the sender) if descriptors come
/// along. Closing a descriptor can block for as long as its sender likes (SO_LINGER of a TCP
/// socket), so dropping it is not enough. KERNEL: since 6.16.
Result<> refuse_descriptors(FdRef socket);

/// Never blocks. Errc::exhausted: the queue is full. Errc::closed: nobody is at the other end.
/// Raises no signal.
Result<> send_message(FdRef socket, std::span<const std::byte> bytes,
                      std::span<const FdRef> descriptors);

struct Message {
  std::size_t size = 0;
  std::vector<UniqueFd> descriptors = {};
  UniqueFd sender = {};  ///< A pidfd, by the kernel's word; where name_senders() was called.
  /// More bytes or descriptors were sent than there was room for; the rest is lost (and closed).
  bool truncated = false;
};
/// Into `buffer`. Never blocks. Errc::closed: the other end is gone (so nobody may send an empty
/// message). Errc::exhausted: there is none.
Result<Message> receive_message(FdRef socket, std::span<std::byte> buffer);

}  // namespace sock::sys
