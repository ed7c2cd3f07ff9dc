#pragma once

// The code of a function on its way to sockd.

#include <string>

#include "try.hpp"

namespace sockctl {

/// A tar or zip file as it is, or a directory as a tar file. On failure: Errc::exhausted beyond
/// 64 MiB, Errc::invalid_spec for what is no file and no directory.
Result<std::string> pack_function(const std::string& path);

}  // namespace sockctl
