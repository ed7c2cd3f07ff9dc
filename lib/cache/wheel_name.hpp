#pragma once

// What the name of a wheel's file says (PEP 427), and where its members go. Pure.

#include <string>
#include <string_view>

#include "sock/import_tree.hpp"
#include "sock/result.hpp"

#include "cache/package_abi.hpp"

namespace sock::cache {

struct WheelName {
  Package package;
  WheelTags tags;
};

/// "numpy-1.24.2-1-cp311-cp311-linux_x86_64.whl". On failure: Errc::invalid_spec.
Result<WheelName> parse_wheel_name(std::string_view file);

/// Whether a directory of the wheel's top level is that package's: "NumPy-1.24.2.dist-info" is,
/// with
/// ".dist-info" as `ending`.
[[nodiscard]] bool is_own_directory(std::string_view name, std::string_view ending,
                                    const Package& package);

/// Where a member goes in a package's directory: modules to site-packages, and what is in .data by
/// its scheme (purelib, platlib, scripts, headers, data). The path is clean.
/// On failure: Errc::corrupt for a scheme that there is not.
Result<std::string> place_in_wheel(const std::string& path, const Package& package);

}  // namespace sock::cache
