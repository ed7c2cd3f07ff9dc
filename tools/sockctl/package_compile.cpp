// sockctl package compile.

#include <optional>

#include <nlohmann/json.hpp>

#include "package_cache.hpp"
#include "package_compiler.hpp"
#include "package_json.hpp"
#include "package_verbs.hpp"
#include "parse.hpp"
#include "report.hpp"

namespace sockctl {
namespace {

/// Of a name all that are for this interpreter, which are some.
Result<> compile_all(PackageCompiler& compiler, sock::PackageCache& cache,
                     const sock::Package& wanted, std::vector<sock::CachedPackage>& compiled) {
  std::optional<Error> unsuited;
  const auto before = compiled.size();
  for (const auto& package : SOCKCTL_TRY(cache.find(wanted))) {
    auto done = compiler.compile(cache, package);
    if (!done.has_value() && done.error().code == Errc::unsupported)
      unsuited = std::move(done.error());
    else if (!done.has_value())
      return std::unexpected(std::move(done.error()));
    else
      compiled.push_back(std::move(*done));
  }
  if (compiled.size() == before && unsuited) return std::unexpected(std::move(*unsuited));
  return {};
}

Result<> compile(const Globals& globals, Format format, const PackageOptions& options,
                 const std::vector<sock::Package>& wanted) {
  auto cache = SOCKCTL_TRY(open_package_cache(options.cache));
  auto compiler = SOCKCTL_TRY(PackageCompiler::open(globals, options.interpreter));
  std::vector<sock::CachedPackage> compiled;
  Result<> done{};
  for (const auto& each : wanted)
    if (done.has_value()) done = compile_all(compiler, cache, each, compiled);
  // Also before a failure.
  if (done.has_value() || !compiled.empty()) SOCKCTL_TRY(print_packages(format, compiled));
  return done;
}

}  // namespace

int package_compile(const Globals& globals, const PackageOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  const auto wanted = parse_requirements(options.packages);
  if (!wanted.has_value()) return fail_usage(wanted.error());
  const auto done = compile(globals, *format, options, *wanted);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
