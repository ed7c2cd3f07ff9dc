#pragma once

// What a package says that it needs: a line of Requires-Dist, as PEP 508 writes it. Pure, and
// careful: the text is a stranger's.

#include <string>
#include <string_view>
#include <vector>

#include "sock/result.hpp"

namespace sock::cache {

struct Specifier {
  std::string operation;  ///< "==", "!=", "<=", ">=", "<", ">", "~=" or "===".
  std::string version;    ///< May end in ".*" after == and !=.
};

struct Requirement {
  std::string name;  ///< Normalised. Extras are left out.
  std::vector<Specifier> specifiers = {};
  std::string marker = {};  ///< What follows the semicolon; see marker.hpp.
};

/// "name[extra] (>=1.2,<2); marker". "name @ URL" is that name in any version.
/// On failure: Errc::corrupt.
Result<Requirement> parse_requirement(std::string_view text);

/// Whether a version is among those that all specifiers allow. One that is no version is allowed by
/// "===" alone.
[[nodiscard]] bool allows(const std::vector<Specifier>& specifiers, std::string_view version);
/// Whether they name a pre-release, which is not taken otherwise while there is another.
[[nodiscard]] bool asks_for_prerelease(const std::vector<Specifier>& specifiers);

}  // namespace sock::cache
