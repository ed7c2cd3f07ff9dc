#pragma once

// Makes functions ready to be called, and instances of them.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "sock/host.hpp"

#include "function_store.hpp"
#include "instance.hpp"
#include "native_zygote.hpp"
#include "realm.hpp"

namespace sockd {

/// A version of a function, with all that its instances need. Immutable.
struct Deployed {
  StoredFunction stored;
  sock::Rootfs rootfs = {};
  std::vector<std::string> env = {};
  std::vector<sock::Package> declared = {};
  Packages packages = {};                      ///< Empty: it declares none.
  std::vector<sock::Bind> package_binds = {};  ///< Of these, in `rootfs`.
  Modules modules = {};                        ///< Of these, what zygotes import.
  std::shared_ptr<NativeZygote> native = {};   ///< Of FunctionRuntime::native.
  /// Of a sandbox that an application's functions share: which.
  std::vector<std::shared_ptr<const Deployed>> members = {};
};
using DeployedPtr = std::shared_ptr<const Deployed>;

/// The limits of an instance at work.
sock::Resources resources_of(const FunctionSpec& spec);

struct StarterOptions {
  std::string package_cache;            ///< A directory; empty: as sockctl's.
  std::uint64_t zygote_memory;          ///< Bytes, of each realm.
  std::string zygote_directory;         ///< Where realms write their zygotes down.
  std::uint64_t zygote_store;           ///< Bytes there, of each realm.
  std::size_t spares;                   ///< Of each zygote.
  std::uint64_t memory_max;             ///< Bytes that an instance may have at most.
  std::vector<std::string> watch = {};  ///< Below which a function may watch directories.
};

/// Thread-safe, but deploy() is for one thread at a time. All of it blocks.
class Starter {
 public:
  Starter(sock::Host& host, StarterOptions options);

  /// On failure: Errc::not_found for a package that the cache does not have, Errc::invalid_spec for
  /// a function that no instance could be made of.
  Result<DeployedPtr> deploy(StoredFunction function);
  /// `request`: the id of the call that it is started for.
  Result<StartedInstance> start(const Deployed& function, const std::string& request);
  /// For the thread of deploy(). Ends the realms of other applications, as soon as no instance of
  /// theirs is left, and removes what they have written down.
  void retire_all_but(const std::set<std::string>& applications);
  /// For the thread of deploy(), when all functions of the store are deployed: then the realms see
  /// what they see after the next start. See Realm.
  void forget_earlier_roots();
  /// Those that serve, by their names.
  [[nodiscard]] std::vector<std::shared_ptr<Realm>> realms() const;

 private:
  /// What instances come from, by the function's runtime.
  Result<> provide_python(Deployed& function);
  Result<> provide_native(Deployed& function);
  /// Their output, and but for programs their channel, is the caller's to add.
  Result<StartedInstance> start_by_runtime(const Deployed& function, sock::ContainerSpec spec,
                                           const std::string& request);
  Result<StartedInstance> start_python(const Deployed& function, const sock::ContainerSpec& spec);
  Result<StartedInstance> start_native(const Deployed& function, const sock::ContainerSpec& spec);
  Result<StartedInstance> start_program(sock::ContainerSpec spec);
  /// The realm of an application, seeing all that its functions need.
  Result<> provide_realm(const std::string& application, const Deployed& function);
  /// Those of its application that somebody has still.
  std::vector<DeployedPtr> others_of(const Deployed& function);
  [[nodiscard]] std::shared_ptr<Realm> find_realm(const std::string& application) const;

  sock::Host* host_;
  StarterOptions options_;
  std::atomic<std::uint64_t> instances_ = 0;
  std::uint64_t opened_ = 0;  ///< Domains, by deploy().
  /// Whatever deploy() has made of functions in Python, by application.
  std::map<std::string, std::vector<std::weak_ptr<const Deployed>>> deployed_ = {};
  mutable std::mutex mutex_;                              ///< Guards what follows.
  std::map<std::string, std::shared_ptr<Realm>> realms_;  ///< By application.
};

}  // namespace sockd
