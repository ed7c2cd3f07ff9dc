#pragma once

// "USER[:GROUP]" of an image's config, by the image's own files. Pure, and careful: both the text
// and the files are a stranger's.

#include <string_view>

#include "sock/result.hpp"
#include "sock/spec.hpp"

namespace sock::image {

/// Numbers need no file; a user by name gets its supplementary groups too.
/// On failure: Errc::not_found for a name that the files do not have, Errc::corrupt for no number.
Result<Identity> find_identity(std::string_view user, std::string_view passwd,
                               std::string_view group);

}  // namespace sock::image
