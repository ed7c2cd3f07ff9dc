#pragma once

// An installer in a container of its own, with a directory that it may fill.

#include <string>

#include "sock/package_cache.hpp"

namespace sock::cache {

/// Runs it until its end, with `out` as its /out.
Result<> run_installer(Host& host, const InstallSpec& spec, const std::string& out);

}  // namespace sock::cache
