// sockctl package add.

#include <nlohmann/json.hpp>

#include "package_cache.hpp"
#include "package_compiler.hpp"
#include "package_json.hpp"
#include "package_verbs.hpp"
#include "report.hpp"

namespace sockctl {
namespace {

Result<sock::PackageSource> source_of(const PackageAddOptions& options) {
  auto source = SOCKCTL_TRY(sock::PackageSource::parse(options.source));
  if (options.name.empty()) return source;
  if (source.kind != sock::PackageSource::Kind::directory)
    return refuse_option("--name", options.name, "only of dir:DIR");
  source.package = SOCKCTL_TRY(sock::Package::parse(options.name));
  return source;
}

Result<> add(const Globals& globals, Format format, const PackageOptions& options,
             const sock::PackageSource& source) {
  auto cache = SOCKCTL_TRY(open_package_cache(options.cache));
  auto package = SOCKCTL_TRY(cache.add(source));
  std::vector<sock::CachedPackage> added{std::move(package)};
  if (!options.no_compile) added = compile_for_machine(globals, cache, std::move(added));
  return print_packages(format, added);
}

}  // namespace

int package_add(const Globals& globals, const PackageOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  const auto source = source_of(options.add);
  if (!source.has_value()) return fail_usage(source.error());
  const auto done = add(globals, *format, options, *source);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
