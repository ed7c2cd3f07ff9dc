#pragma once

// Installed packages as directories: DIR/NAME/VERSION on the host, /packages/NAME/VERSION in the
// roots of containers.

#include <map>
#include <string>

#include "sock/import_tree.hpp"

#include "try.hpp"

namespace sockctl {

/// All packages of a directory, with their own directories. Names that are no packages are left
/// out. On failure: exhausted when there are more than 100,000.
Result<std::map<sock::Package, std::string>> list_package_dirs(const std::string& directory);

/// Where a package is in a root.
std::string package_target(const sock::Package& package);

}  // namespace sockctl
