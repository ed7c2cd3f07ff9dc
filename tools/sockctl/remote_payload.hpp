#pragma once

// A payload in the foreground that another process of ours has started for us: a monitor (exec) or
// the background Host (zygote fork). Its stdio is ours, passed over the socket.

#include <chrono>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "sock/container.hpp"

#include "console.hpp"

namespace sockctl {

struct RemoteRequest {
  sock::FdRef peer;
  std::string peer_name;  ///< "the monitor"
  ConsoleOptions console;
  std::chrono::seconds start_time;
  /// Asks the peer for the payload, with these descriptors.
  std::function<Result<>(const sock::Stdio&)> send;
};

struct RemotePayload {
  nlohmann::json started;  ///< The peer's answer to the request.
  sock::ExitStatus status;
};

/// Relays stdio and signals until the payload has ended. Blocking.
Result<RemotePayload> run_remotely(const RemoteRequest& request);

}  // namespace sockctl
