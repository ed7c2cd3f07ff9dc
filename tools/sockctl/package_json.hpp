#pragma once

// Packages of the cache as JSON and as rows of a table. Pure.

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sock/package_cache.hpp"

#include "globals.hpp"

namespace sockctl {

nlohmann::json to_json(const sock::CachedPackage& package);
Result<> print_packages(Format format, const std::vector<sock::CachedPackage>& packages);

}  // namespace sockctl
