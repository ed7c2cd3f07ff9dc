#pragma once

// Makes functions ready to be called, and instances of them.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "sock/host.hpp"

#include "function_store.hpp"
#include "instance.hpp"
#include "realm.hpp"

namespace sockd {

/// A version of a function, with all that its instances need. Immutable.
struct Deployed {
  StoredFunction stored;
  sock::Rootfs rootfs = {};
  std::vector<std::string> env = {};
  std::vector<sock::Package> declared = {};
  Packages packages = {};  ///< Empty: it declares none.
  Modules modules = {};    ///< Of these, what zygotes import.
};
using DeployedPtr = std::shared_ptr<const Deployed>;

struct StarterOptions {
  std::string package_cache;    ///< A directory; empty: as sockctl's.
  std::uint64_t zygote_memory;  ///< Bytes, of each realm.
  std::uint64_t memory_max;     ///< Bytes that an instance may have at most.
};

/// Thread-safe, but deploy() is for one thread at a time. All of it blocks.
class Starter {
 public:
  Starter(sock::Host& host, StarterOptions options);

  /// On failure: Errc::not_found for a package that the cache does not have, Errc::invalid_spec for
  /// a function that no instance could be made of.
  Result<DeployedPtr> deploy(StoredFunction function);
  Result<StartedInstance> start(const Deployed& function);
  /// Those that serve, by their names.
  [[nodiscard]] std::vector<std::shared_ptr<Realm>> realms() const;

 private:
  /// The realm of an application, seeing all that this function needs.
  Result<> provide_realm(const std::string& application, const Deployed& function);
  [[nodiscard]] std::shared_ptr<Realm> find_realm(const std::string& application) const;

  sock::Host* host_;
  StarterOptions options_;
  std::atomic<std::uint64_t> instances_ = 0;
  std::uint64_t opened_ = 0;                              ///< Realms, by deploy().
  mutable std::mutex mutex_;                              ///< Guards what follows.
  std::map<std::string, std::shared_ptr<Realm>> realms_;  ///< By application.
};

}  // namespace sockd
