#pragma once

// Unpacking Debian packages: what is Python's, and the shared libraries that come with it. No
// maintainer script is run; what only such a script makes is not there.

#include <optional>
#include <span>
#include <string>

#include "sock/fd.hpp"
#include "sock/image.hpp"
#include "sock/result.hpp"

#include "cache/source_file.hpp"
#include "cache/unpacked_package.hpp"

namespace sock::cache {

/// All of them into one package, which is the first's. `tree` is an empty directory.
/// On failure: as unpack_wheel().
Result<UnpackedPackage> unpack_debs(std::span<const SourceFile> files, FdRef tree,
                                    const ImportLimits& limits);

/// Where a file of a Debian package goes in a package's directory; empty for one that is not taken.
/// Pure; the path is clean.
[[nodiscard]] std::optional<std::string> place_in_package(const std::string& path);

}  // namespace sock::cache
