#pragma once

// The package cache of a user, opened, and what a container's options say of it.

#include <optional>
#include <string>

#include "sock/package_cache.hpp"

#include "run_options.hpp"

namespace sockctl {

/// As given, or as choose_store() says. Makes the directories above it where they are missing.
Result<sock::PackageCache> open_package_cache(const std::string& option);

/// The packages of the cache that the options name, declared in `rootfs` and `env`; empty when they
/// name none. Keep it for as long as containers run with them.
Result<std::optional<sock::PackagesInUse>> declare_packages(const RunOptions& options,
                                                            sock::Rootfs& rootfs,
                                                            std::vector<std::string>& env);
/// The version of the interpreter for which they are chosen: as given, or as the root has it.
Result<std::string> python_of(const RunOptions& options, const std::string& base);
/// Replaces names by the versions that they mean now, those of what they need included: whatever is
/// forked from a zygote must have what the zygote has.
Result<> pin_packages(RunOptions& options);

}  // namespace sockctl
