#pragma once

// What a Host keeps ready so that a launch is short: kernel features, namespaces, templates, pooled
// cgroups, the compiled default policy, the init program. Everything here is made by Host::open and
// outlives every container.

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"
#include "sock/seccomp.hpp"

#include "container/realm.hpp"
#include "isolation/cgroup/pool.hpp"
#include "isolation/features.hpp"
#include "isolation/namespaces.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"

namespace sock::container {

/// Names in use on a Host. Thread-safe.
class Names {
 public:
  /// On failure: Errc::exists.
  Result<> claim(const std::string& name);
  void release(const std::string& name);

 private:
  std::mutex mutex_;  // guards names_
  std::set<std::string> names_;
};

/// Thread-safe: every member is immutable after it was made, or locks by itself.
struct Workshop {
  Workshop(const isolation::KernelFeatures& kernel, SeccompPolicy policy,
           std::unique_ptr<isolation::CgroupPool> pool);

  const isolation::KernelFeatures features;
  const SeccompPolicy default_policy;
  const int last_capability;
  const sys::ClockFunction clock;  ///< For the child; may be null.
  const std::unique_ptr<isolation::CgroupPool> cgroups;
  Realms realms;
  isolation::UserNamespaces user_namespaces;
  Names names;
  UniqueFd init;        ///< sock-init, sealed in memory.
  UniqueFd init_mount;  ///< The same as a file to be mounted; empty without root, or before 6.15.
  UniqueFd landlock;    ///< A ruleset that scopes abstract sockets; empty where it cannot.
  sys::Pipe life_line;  ///< Inits hold the reader; nobody ever writes.
  std::string criu;     ///< As HostOptions::criu.
};

/// Fills what can fail. `init_program` is a path.
Result<> equip(Workshop& workshop, const std::string& init_program);

}  // namespace sock::container
