#pragma once

// A program in a container of its own, with a directory that it may fill.

#include <chrono>
#include <string>

#include "sock/package_cache.hpp"

namespace sock::cache {

/// Runs an installer until its end, with `out` as its /out.
Result<> run_installer(Host& host, const InstallSpec& spec, const std::string& out);
/// The same for any program, however it ends. Nothing of it runs any more at the return. On
/// failure: as Host::create(), and Errc::timed_out.
Result<ExitStatus> run_with_out(Host& host, ContainerSpec container,
                                std::chrono::milliseconds deadline, const std::string& out);

}  // namespace sock::cache
