#pragma once

// A package as an installer has put it into a directory.

#include <optional>
#include <string>

#include "sock/fd.hpp"
#include "sock/image.hpp"
#include "sock/import_tree.hpp"
#include "sock/result.hpp"

#include "cache/unpacked_package.hpp"

namespace sock::cache {

/// Copies `from` into `tree`, an empty directory. The name is `given`, or that of the one
/// .dist-info in it. On failure: Errc::invalid_spec where neither tells.
Result<UnpackedPackage> copy_package(FdRef from, const std::optional<Package>& given, FdRef tree,
                                     const ImportLimits& limits);

}  // namespace sock::cache
