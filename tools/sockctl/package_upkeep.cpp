// sockctl package rm, verify and gc.

#include <functional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "json_values.hpp"
#include "package_cache.hpp"
#include "package_verbs.hpp"
#include "parse.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "verification.hpp"

namespace sockctl {
namespace {

constexpr sock::FdRef out{1};
using Verb = std::function<Result<int>(sock::PackageCache&, const sock::CachedPackage&)>;

Result<int> for_all_of(sock::PackageCache& cache, const sock::Package& wanted, const Verb& verb) {
  int status = 0;
  for (const auto& package : SOCKCTL_TRY(cache.find(wanted))) {
    const int mine = SOCKCTL_TRY(verb(cache, package));
    if (status == 0) status = mine;
  }
  return status;
}

/// As many as can be: the first failure decides the exit status.
int for_each_package(const PackageOptions& options, const Verb& verb) {
  const auto wanted = parse_requirements(options.packages);
  if (!wanted.has_value()) return fail_usage(wanted.error());
  auto cache = open_package_cache(options.cache);
  if (!cache.has_value()) return fail(cache.error());
  int status = 0;
  for (const auto& each : *wanted) {
    const auto done = for_all_of(*cache, each, verb);
    const int mine = done.has_value() ? *done : fail(done.error());
    if (status == 0) status = mine;
  }
  return status;
}

Result<int> verify(Format format, const sock::PackageCache& cache,
                   const sock::CachedPackage& package) {
  const auto found = SOCKCTL_TRY(cache.verify(package));
  const std::string name = package.package.to_string();
  return report_verification(format, {{"package", name}, {"abi", package.abi}},
                             name + " " + package.abi, found, "as taken in");
}

Result<> collect(Format format, const PackageOptions& options) {
  auto cache = SOCKCTL_TRY(open_package_cache(options.cache));
  const auto removed = SOCKCTL_TRY(cache.gc());
  if (format != Format::table)
    return write_all(out, line_of({{"trees", removed.trees},
                                   {"unfinished", removed.unfinished},
                                   {"in_use", removed.in_use}}) +
                              "\n");
  return write_all(out, fmt::format("removed {} packages, {} unfinished ones; {} in use\n",
                                    removed.trees, removed.unfinished, removed.in_use));
}

}  // namespace

int package_rm(const Globals&, const PackageOptions& options) {
  return for_each_package(
      options, [](sock::PackageCache& cache, const sock::CachedPackage& package) -> Result<int> {
        SOCKCTL_TRY(cache.remove(package));
        return 0;
      });
}

int package_verify(const Globals& globals, const PackageOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  return for_each_package(options,
                          [&](const sock::PackageCache& cache, const sock::CachedPackage& package) {
                            return verify(*format, cache, package);
                          });
}

int package_gc(const Globals& globals, const PackageOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  const auto done = collect(*format, options);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
