#pragma once

// Who holds zygotes between commands, by their names: the background Host, one process of each user
// and state directory that is started by `zygote create` and ends by itself once it holds nothing,
// or sockd.
//
// One connection is one request, and one thread.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sock/host.hpp"

#include "channel.hpp"
#include "held.hpp"

namespace sockctl {

/// The zygotes and trees by their names. Thread-safe.
class ZygoteHost {
 public:
  /// `host` outlives it.
  explicit ZygoteHost(sock::Host& host) : host_{host} {}

  [[nodiscard]] sock::Host& host() { return host_; }
  /// One that is not started yet. Errc::exists for a name in use.
  Result<> add(std::shared_ptr<Held> held);
  Result<std::shared_ptr<Held>> find(const std::string& name) const;
  /// Those with these names, or all of them when there are no names.
  Result<std::vector<std::shared_ptr<Held>>> find_all(const std::vector<std::string>& names) const;
  void forget(const std::string& name);
  [[nodiscard]] bool empty() const;

 private:
  sock::Host& host_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Held>> held_ = {};
};

/// Answers the one request of a connection, and ends early when `stop` becomes readable.
class ZygoteSession {
 public:
  ZygoteSession(ZygoteHost& host, sock::FdRef socket, sock::FdRef stop)
      : host_{host}, socket_{socket}, stop_{stop} {}
  /// Blocking: until the request is done or the client has hung up.
  void run();

 private:
  Result<> serve();
  Result<nlohmann::json> dispatch(const nlohmann::json& request, Message& message);
  Result<nlohmann::json> create(const nlohmann::json& request);
  Result<nlohmann::json> checkpoint(const nlohmann::json& request);
  Result<nlohmann::json> restore(const nlohmann::json& request);
  Result<nlohmann::json> apply(const nlohmann::json& request);
  Result<nlohmann::json> hold(std::shared_ptr<Held> held);
  Result<> start(Held& held);
  Result<nlohmann::json> export_tree(const std::string& name);
  Result<nlohmann::json> inspect(const std::vector<std::string>& names);
  Result<nlohmann::json> stats(const std::vector<std::string>& names);
  Result<nlohmann::json> remove(const std::string& name, bool force);
  Result<nlohmann::json> fork(const nlohmann::json& request, Message& message);
  Result<sock::ExitStatus> attend(sock::Container& container, Deadline deadline);

  ZygoteHost& host_;
  sock::FdRef socket_;
  sock::FdRef stop_;
};

}  // namespace sockctl
