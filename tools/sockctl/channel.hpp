#pragma once

// JSON messages with descriptors over a SOCK_SEQPACKET unix socket, between sockctl and a monitor
// or the background Host. One message is one packet with at most four descriptors. A text that is
// longer than 64 KiB goes in a file in memory, the last descriptor of a packet that says so.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "posix.hpp"

namespace sockctl {

inline constexpr std::size_t message_max = 128U << 20U;

struct Message {
  std::string text;
  std::vector<sock::UniqueFd> fds;
};

/// A listening socket called `name` in a directory; only its owner can reach it.
Result<sock::UniqueFd> listen_at(sock::FdRef dir, const std::string& name);
/// Removes a socket's name; none there is fine.
Result<> remove_socket_at(sock::FdRef dir, const std::string& name);
/// Errc::closed or not_found when nobody listens.
Result<sock::UniqueFd> connect_at(sock::FdRef dir, const std::string& name);
/// The next connection; one of another user is closed, and empty is returned.
Result<std::optional<sock::UniqueFd>> accept_own(sock::FdRef listener);

/// Never blocks: a peer that does not read gets an error.
Result<> send_message(sock::FdRef socket, const nlohmann::json& body,
                      std::span<const sock::FdRef> fds = {});
/// Empty at the end of the connection. Blocking: until there is a message.
Result<std::optional<Message>> receive_message(sock::FdRef socket);

}  // namespace sockctl
