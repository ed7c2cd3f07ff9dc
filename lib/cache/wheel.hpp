#pragma once

// Unpacking a wheel (PEP 427), and comparing what was written with its RECORD.

#include <string>

#include "sock/fd.hpp"
#include "sock/image.hpp"
#include "sock/result.hpp"

#include "cache/unpacked_package.hpp"

namespace sock::cache {

/// `name` is the file's own; `tree` an empty directory that nobody else sees.
/// On failure: Errc::corrupt for what is not as it says, Errc::unsupported for another machine's.
Result<UnpackedPackage> unpack_wheel(FdRef file, const std::string& name, FdRef tree,
                                     const ImportLimits& limits);

}  // namespace sock::cache
