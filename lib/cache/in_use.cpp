// PackagesInUse: what a spec must say for a container to see packages, and no others.

#include "cache/in_use.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fcntl.h>

#include "base/try.hpp"
#include "cache/module_name.hpp"
#include "cache/package_layout.hpp"
#include "store/digest.hpp"
#include "store/stage.hpp"
#include "sys/file.hpp"

namespace sock {
namespace {

using cache::libraries_directory;
using cache::modules_directory;

// In front of what the variable has, or as a new one.
void put_before(std::vector<std::string>& env, const std::string& name,
                const std::vector<std::string>& paths) {
  if (paths.empty()) return;
  std::string value;
  for (const auto& path : paths) value += (value.empty() ? "" : ":") + path;
  const std::string start = name + "=";
  const auto found =
      std::ranges::find_if(env, [&](const std::string& entry) { return entry.starts_with(start); });
  if (found == env.end())
    env.push_back(start + value);
  else
    *found =
        start + value + (found->size() > start.size() ? ":" : "") + found->substr(start.size());
}

// Where an interpreter finds packages by itself: Debian's, those that others build, and a user's.
std::vector<std::string> usual_places(const std::string& python) {
  std::vector<std::string> places{"/usr/lib/python3/dist-packages"};
  for (const char* const prefix : {"/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64"})
    for (const char* const name : {"dist-packages", "site-packages"})
      places.push_back(std::string{prefix} + "/python" + python + "/" + name);
  return places;
}

// Of the usual places those that the base has. The base may be a stranger's: no link leaves it.
Result<std::vector<std::string>> places_in(const std::string& base, const std::string& python) {
  const std::string path = base == host_image ? "/" : base;
  const auto root =
      SOCK_TRY(base::in_stage(store::store_stage, sys::open(sys::cwd, path, O_PATH | O_DIRECTORY)));
  std::vector<std::string> places = usual_places(python);
  std::erase_if(places, [&](const std::string& place) {
    return !sys::open_in_root(root, place, O_PATH | O_DIRECTORY).has_value();
  });
  return places;
}

}  // namespace

PackagesInUse::PackagesInUse(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
PackagesInUse::PackagesInUse(PackagesInUse&&) noexcept = default;
PackagesInUse& PackagesInUse::operator=(PackagesInUse&&) noexcept = default;
PackagesInUse::~PackagesInUse() = default;

const std::vector<CachedPackage>& PackagesInUse::packages() const noexcept {
  return impl_->packages;
}

std::string PackagesInUse::source(const CachedPackage& package) const {
  const auto colon = package.digest.find(':');
  return impl_->trees + "/" + package.digest.substr(colon + 1) + "/tree";
}

std::string PackagesInUse::target(const Package& package) {
  return "/packages/" + package.name + "/" + package.version;
}

Result<std::vector<std::string>> PackagesInUse::modules(const CachedPackage& package) const {
  const std::string path = source(package) + "/" + std::string{modules_directory};
  const auto directory = sys::open(sys::cwd, path, O_RDONLY | O_DIRECTORY);
  if (!directory.has_value())
    return base::refuse(Errc::corrupt, store::store_stage, path, "the package's files are gone");
  std::set<std::string> modules;
  for (const auto& name : SOCK_TRY(sys::list_dir(*directory))) {
    auto module = cache::module_of(name);
    const bool is_file = module.size() != name.size();
    if (module.empty() || module.starts_with('_')) continue;
    // A directory is one only with a file in it that says so: others are parts of several packages.
    if (is_file || sys::open_beneath(*directory, name + "/__init__.py", O_PATH).has_value())
      modules.insert(std::move(module));
  }
  return std::vector<std::string>{modules.begin(), modules.end()};
}

Result<> PackagesInUse::declare(Rootfs& rootfs, std::vector<std::string>& env,
                                BasePackages base_packages) const {
  if (base_packages == BasePackages::hidden)
    for (auto& place : SOCK_TRY(places_in(rootfs.base, impl_->python)))
      rootfs.binds.push_back({.source = impl_->empty, .target = std::move(place)});
  std::vector<std::string> modules;
  std::vector<std::string> libraries;
  for (const auto& package : impl_->packages) {
    const std::string from = source(package);
    const std::string to = target(package.package);
    rootfs.binds.push_back({.source = from, .target = to});
    modules.push_back(to + "/" + std::string{modules_directory});
    const std::string own_libraries = from + "/" + std::string{libraries_directory};
    if (sys::open(sys::cwd, own_libraries, O_PATH | O_DIRECTORY).has_value())
      libraries.push_back(to + "/" + std::string{libraries_directory});
  }
  put_before(env, "PYTHONPATH", modules);
  put_before(env, "LD_LIBRARY_PATH", libraries);
  return {};
}

}  // namespace sock
