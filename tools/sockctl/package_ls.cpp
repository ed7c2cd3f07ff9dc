// sockctl package ls and inspect.

#include <nlohmann/json.hpp>

#include "listing.hpp"
#include "package_cache.hpp"
#include "package_json.hpp"
#include "package_verbs.hpp"
#include "parse.hpp"
#include "posix.hpp"
#include "report.hpp"

namespace sockctl {
namespace {

Result<> list(Format format, const PackageOptions& options) {
  const auto cache = SOCKCTL_TRY(open_package_cache(options.cache));
  const auto packages = SOCKCTL_TRY(cache.list());
  if (!options.quiet) return print_packages(format, packages);
  std::string names;
  for (const auto& package : packages) names += package.package.to_string() + "\n";
  return write_all(sock::FdRef{1}, names);
}

Result<> show(Format format, const PackageOptions& options) {
  const auto cache = SOCKCTL_TRY(open_package_cache(options.cache));
  auto objects = nlohmann::json::array();
  for (const auto& wanted : SOCKCTL_TRY(parse_requirements(options.packages)))
    for (const auto& package : SOCKCTL_TRY(cache.find(wanted))) objects.push_back(to_json(package));
  return print_list(format == Format::jsonl ? Format::jsonl : Format::json, objects, {}, {});
}

int act(const Globals& globals, const PackageOptions& options,
        Result<> (*verb)(Format, const PackageOptions&)) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  return finish(verb(*format, options));
}

}  // namespace

int package_ls(const Globals& globals, const PackageOptions& options) {
  return act(globals, options, list);
}

int package_inspect(const Globals& globals, const PackageOptions& options) {
  return act(globals, options, show);
}

}  // namespace sockctl
