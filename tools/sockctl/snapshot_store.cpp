// Origins are "image:@DIGEST" and "package:PYTHON:NAME==VERSION".

#include "snapshot_store.hpp"

#include <filesystem>

#include "globals.hpp"
#include "image_store.hpp"
#include "package_cache.hpp"
#include "parse.hpp"
#include "store_place.hpp"

namespace sockctl {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view image_word = "image:";
constexpr std::string_view package_word = "package:";

Result<sock::PackagesInUse> keep_package(std::string_view origin, const RunOptions& options) {
  const auto colon = origin.find(':');
  if (colon == std::string_view::npos)
    return refuse(Errc::corrupt, Stage::checkpoint, "a package of the snapshot");
  const std::string name{origin.substr(colon + 1)};
  const auto cache = SOCKCTL_TRY(open_package_cache(options.package_cache));
  sock::PackageRequest request{.packages = {},
                               .python = std::string{origin.substr(0, colon)},
                               .dependencies = sock::Dependencies::ignore};
  request.packages = SOCKCTL_TRY(parse_requirements({name}));
  return cache.use(request);
}

}  // namespace

Result<sock::SnapshotStore> open_snapshot_store(const std::string& option) {
  const auto directory = SOCKCTL_TRY(choose_store(snapshot_store_place, option, current_caller()));
  const auto above = fs::path{directory}.parent_path();
  std::error_code failed;
  fs::create_directories(above, failed);
  if (failed)
    return refuse(Errc::denied, Stage::checkpoint, above.string(),
                  failed.message() + "; give --snapshot-store");
  return sock::SnapshotStore::open({.directory = directory});
}

Result<std::vector<std::string>> origins_of(const RunOptions& options, const Launch& launch) {
  std::vector<std::string> origins;
  if (launch.image) origins.push_back(std::string{image_word} + "@" + launch.image->image().id);
  if (!launch.packages) return origins;
  const auto packages = SOCKCTL_TRY(origins_of(options, launch.spec.rootfs.base, *launch.packages));
  origins.insert(origins.end(), packages.begin(), packages.end());
  return origins;
}

Result<std::vector<std::string>> origins_of(const RunOptions& options, const std::string& base,
                                            const sock::PackagesInUse& packages) {
  std::vector<std::string> origins;
  const auto python = SOCKCTL_TRY(python_of(options, base));
  for (const auto& each : packages.packages())
    origins.push_back(std::string{package_word} + python + ":" + each.package.to_string());
  return origins;
}

Result<Origins> keep_origins(const std::vector<std::string>& origins, const RunOptions& options) {
  Origins kept;
  for (const std::string_view origin : origins) {
    if (origin.starts_with(image_word)) {
      const auto directory = SOCKCTL_TRY(image_store_dir(options.image_store));
      const auto store = SOCKCTL_TRY(open_image_store(directory));
      kept.image = SOCKCTL_TRY(store.use(origin.substr(image_word.size())));
    } else if (origin.starts_with(package_word)) {
      kept.packages.push_back(
          SOCKCTL_TRY(keep_package(origin.substr(package_word.size()), options)));
    }
  }
  return kept;
}

}  // namespace sockctl
