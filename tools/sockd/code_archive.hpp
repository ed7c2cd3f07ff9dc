#pragma once

// The code of a function, out of a tar or zip file that anybody may have made.

#include <string>

#include "sock/fd.hpp"

#include "try.hpp"

namespace sockd {

using sock::Result;

/// Unpacks regular files and directories into an empty directory: owned by the caller, readable by
/// all, executable where the archive says so. On failure: Errc::invalid_spec names what else is in
/// it, Errc::exhausted one that is too large; what was written stays. Blocking: as long as it
/// takes.
Result<> unpack_code(sock::FdRef archive, const std::string& directory);

}  // namespace sockd
