#pragma once

// One zygote that the background Host holds, alone in a domain of its own.
//
// Thread-safe. Its life: start() on one thread, then any number of leases, then remove(). A domain
// must outlive what was forked in it, so remove() waits for the leases.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sock/host.hpp"

#include "run_options.hpp"

namespace sockctl {

/// What `zygote create` asks for. The root and the limits are in `options`.
struct ZygoteRequest {
  std::string name;
  std::vector<std::string> modules;
  std::vector<std::string> paths;  ///< In the root.
  std::string python;
  std::size_t spares;
  RunOptions options;
};
nlohmann::json to_json(const ZygoteRequest& request);
/// May throw nlohmann::json::exception.
Result<ZygoteRequest> zygote_request_from_json(const nlohmann::json& json);

class HeldZygote {
 public:
  using Tell = std::function<void(const nlohmann::json& event)>;
  struct EndLease {
    void operator()(HeldZygote* zygote) const;
  };
  using Lease = std::unique_ptr<HeldZygote, EndLease>;

  explicit HeldZygote(ZygoteRequest request);

  [[nodiscard]] const RunOptions& options() const { return request_.options; }
  /// Opens the domain and imports the modules one after the other, telling of each. The error of an
  /// import names the module. Blocking: until everything is imported.
  Result<> start(sock::Host& host, const Tell& tell);
  /// Makes start() fail soon.
  void abandon();

  /// Leave to fork one container; give it back when the container has been destroyed.
  Result<Lease> lease();
  /// Under a lease.
  Result<sock::Container> fork(const sock::ContainerSpec& spec);

  [[nodiscard]] nlohmann::json describe() const;
  [[nodiscard]] Result<nlohmann::json> stats() const;
  /// Ends the zygote, and by force the containers forked from it. Errc::exists when some run.
  /// Blocking: until all has ended.
  Result<> remove(bool force);

 private:
  enum class State : std::uint8_t { importing, ready, removed };
  struct Import {
    std::string module;
    std::chrono::nanoseconds time;
  };
  Result<> open_domain(sock::Host& host);
  Result<sock::Zygote> import_all(const Tell& tell);
  [[nodiscard]] bool has_ended() const;

  const ZygoteRequest request_;
  const std::string created_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  mutable std::mutex mutex_;  ///< Guards all below.
  std::condition_variable lease_ended_;
  State state_ = State::importing;
  bool abandoned_ = false;
  mutable std::optional<sock::ZygoteDomain> domain_ = {};  ///< stats() goes through container().
  std::optional<sock::Zygote> zygote_ = {};                ///< Before the domain in destruction.
  std::vector<Import> imports_ = {};
  std::size_t leases_ = 0;
  std::uint64_t forks_ = 0;
};

}  // namespace sockctl
