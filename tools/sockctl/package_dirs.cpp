// Listing installed packages.

#include "package_dirs.hpp"

#include <filesystem>

namespace sockctl {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_packages = 100'000;

std::unexpected<Error> unreadable(const std::string& directory, const std::error_code& reason) {
  Error error{.code = Errc::not_found,
              .stage = Stage::validate,
              .sys_errno = reason.value(),
              .subject = directory,
              .hint = "packages are directories NAME/VERSION below it"};
  return std::unexpected(std::move(error));
}

// The names below a directory; what is no directory is left out, links too.
Result<std::vector<std::string>> directories_below(const std::string& directory) {
  std::error_code failed;
  std::vector<std::string> names;
  for (fs::directory_iterator at{directory, failed}, end; !failed && at != end;
       at.increment(failed))
    if (at->symlink_status(failed).type() == fs::file_type::directory)
      names.push_back(at->path().filename());
  if (failed) return unreadable(directory, failed);
  return names;
}

}  // namespace

Result<std::map<sock::Package, std::string>> list_package_dirs(const std::string& directory) {
  std::map<sock::Package, std::string> found;
  for (const auto& name : SOCKCTL_TRY(directories_below(directory))) {
    const std::string versions = directory + "/" + name;
    for (const auto& version : SOCKCTL_TRY(directories_below(versions))) {
      const auto package = sock::Package::parse(name + "==" + version);
      if (!package.has_value()) continue;
      if (found.size() == most_packages)
        return refuse(Errc::exhausted, Stage::validate, directory, "too many packages");
      found.emplace(*package, versions + "/" + version);
    }
  }
  return found;
}

std::string package_target(const sock::Package& package) {
  return "/packages/" + package.name + "/" + package.version;
}

}  // namespace sockctl
