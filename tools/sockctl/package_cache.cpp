// The package cache, and packages for containers.

#include "package_cache.hpp"

#include <filesystem>

#include "globals.hpp"
#include "parse.hpp"
#include "store_place.hpp"

namespace sockctl {
namespace {

namespace fs = std::filesystem;

Result<sock::PackagesInUse> use_packages(const RunOptions& options, const std::string& base,
                                         sock::Dependencies dependencies) {
  const auto cache = SOCKCTL_TRY(open_package_cache(options.package_cache));
  sock::PackageRequest request{.packages = {}, .python = {}, .dependencies = dependencies};
  request.python = SOCKCTL_TRY(python_of(options, base));
  request.packages = SOCKCTL_TRY(parse_requirements(options.cached_packages));
  return cache.use(request);
}

}  // namespace

// "3.11": where python3 leads in the root's usual places. The link alone is looked at: it may be a
// stranger's, and lead anywhere.
Result<std::string> python_of(const RunOptions& options, const std::string& base) {
  constexpr std::string_view name = "python";
  if (!options.python.empty()) return options.python;
  const std::string top = base == sock::host_image ? "" : base;
  for (const char* const directory : {"/usr/local/bin/", "/usr/bin/", "/bin/"}) {
    std::error_code failed;
    const auto target = fs::read_symlink(top + directory + "python3", failed).filename().string();
    if (!failed && target.starts_with("python3.")) return target.substr(name.size());
  }
  return refuse(Errc::not_found, Stage::validate, "python3 in the root",
                "say for which version the packages are: --python 3.11");
}

Result<sock::PackageCache> open_package_cache(const std::string& option) {
  const auto directory = SOCKCTL_TRY(choose_store(package_cache_place, option, current_caller()));
  const auto above = fs::path{directory}.parent_path();
  std::error_code failed;
  fs::create_directories(above, failed);
  if (failed)
    return refuse(Errc::denied, Stage::rootfs, above.string(),
                  failed.message() + "; give --package-cache");
  return sock::PackageCache::open({.directory = directory});
}

Result<std::optional<sock::PackagesInUse>> declare_packages(const RunOptions& options,
                                                            sock::Rootfs& rootfs,
                                                            std::vector<std::string>& env) {
  if (options.cached_packages.empty()) return std::optional<sock::PackagesInUse>{};
  auto used = SOCKCTL_TRY(use_packages(options, rootfs.base, sock::Dependencies::follow));
  SOCKCTL_TRY(used.declare(rootfs, env));
  return std::optional{std::move(used)};
}

Result<> pin_packages(RunOptions& options) {
  if (options.cached_packages.empty()) return {};
  const std::string base = options.rootfs.empty() ? options.image : options.rootfs;
  options.python = SOCKCTL_TRY(python_of(options, base));
  const auto used = SOCKCTL_TRY(use_packages(options, base, sock::Dependencies::follow));
  options.cached_packages.clear();
  for (const auto& package : used.packages())
    options.cached_packages.push_back(package.package.to_string());
  return {};
}

}  // namespace sockctl
