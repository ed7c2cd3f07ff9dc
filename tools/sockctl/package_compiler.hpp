#pragma once

// Compiling packages of the cache, so that who imports them need not.

#include <optional>
#include <vector>

#include "sock/host.hpp"
#include "sock/package_cache.hpp"

#include "globals.hpp"
#include "launch.hpp"

namespace sockctl {

/// An interpreter in containers of its own. Thread-bound.
class PackageCompiler {
 public:
  /// Of `options`, what says where the interpreter is: its root and its version.
  static Result<PackageCompiler> open(const Globals& globals, const RunOptions& options);

  /// Says on stderr what it is at, where that is a terminal.
  Result<sock::CachedPackage> compile(sock::PackageCache& cache,
                                      const sock::CachedPackage& package);

 private:
  PackageCompiler(sock::Host host, Launch launch, std::string python) noexcept
      : host_{std::move(host)}, launch_{std::move(launch)}, python_{std::move(python)} {}
  sock::Host host_;
  Launch launch_;
  std::string python_;
};

/// For the machine's own python3, where it has one. A package that cannot be compiled stays as it
/// is, which costs a line on stderr.
std::vector<sock::CachedPackage> compile_for_machine(const Globals& globals,
                                                     sock::PackageCache& cache,
                                                     std::vector<sock::CachedPackage> packages);

}  // namespace sockctl
