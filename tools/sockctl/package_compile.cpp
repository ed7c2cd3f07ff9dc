// sockctl package compile.

#include <nlohmann/json.hpp>

#include "package_cache.hpp"
#include "package_compiler.hpp"
#include "package_json.hpp"
#include "package_verbs.hpp"
#include "parse.hpp"
#include "report.hpp"

namespace sockctl {
namespace {

Result<> compile(const Globals& globals, Format format, const PackageOptions& options,
                 const std::vector<sock::Package>& wanted) {
  auto cache = SOCKCTL_TRY(open_package_cache(options.cache));
  auto compiler = SOCKCTL_TRY(PackageCompiler::open(globals, options.interpreter));
  std::vector<sock::CachedPackage> compiled;
  for (const auto& each : wanted)
    for (const auto& package : SOCKCTL_TRY(cache.find(each)))
      compiled.push_back(SOCKCTL_TRY(compiler.compile(cache, package)));
  return print_packages(format, compiled);
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
