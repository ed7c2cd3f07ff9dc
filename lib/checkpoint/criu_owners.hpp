#pragma once

// The images of CRIU's in which users and groups are: of threads, of what they have open, of memory
// files, of deleted files, of System V's objects. Pure.

#include <string>
#include <string_view>

#include "sock/result.hpp"

#include "checkpoint/user_change.hpp"

namespace sock::checkpoint {

/// Whether the image of this name has any.
bool has_owners(std::string_view name);
/// The image with other users and groups; all else in it is kept. On failure: Errc::corrupt;
/// Errc::unsupported for what can only come back as it was.
Result<std::string> change_owners(const std::string& name, std::string_view bytes,
                                  const UserChange& change);

}  // namespace sock::checkpoint
