#pragma once

// Opening what a root is made of. Directories of the machine that a spec names may lie where a
// payload writes: a link that it left there must not choose what its next container gets
// (CVE-2018-15664 and its kin). So no component of a source may be a link.

#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::isolation {

/// A handle (O_PATH) of the file or directory, to be cloned from. `what` names the field.
/// On failure: Errc::invalid_spec with a hint when a link is in the path.
Result<UniqueFd> open_source(const std::string& path, const std::string& what);

}  // namespace sock::isolation
