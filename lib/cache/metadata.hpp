#pragma once

// Files of "Name: value" lines: METADATA and WHEEL of a wheel, PKG-INFO, Debian's control. Pure.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sock/import_tree.hpp"
#include "sock/result.hpp"

namespace sock::cache {

/// The fields up to the first empty line, in their order. A continued line is put to its field's.
class Metadata {
 public:
  /// `what` names the file in errors. On failure: Errc::corrupt.
  static Result<Metadata> parse(std::string_view text, const std::string& what);

  /// The first of that name, whatever its case; empty when there is none.
  [[nodiscard]] std::string first(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;  ///< Names in lower case.
};

/// "Name" and "Version" of a METADATA or PKG-INFO. On failure: Errc::corrupt.
Result<Package> package_in(const Metadata& metadata, const std::string& what);

/// The names of python3-* packages in a Depends field. Alternatives stay together, separated by
/// " | "; versions and architectures are left out, and so is what is no Python package.
std::vector<std::string> python_packages_in(std::string_view depends);

/// "1.24.2" of "1:1.24.2-1+deb12u1": without epoch and revision.
std::string upstream_version(std::string_view debian_version);

}  // namespace sock::cache
