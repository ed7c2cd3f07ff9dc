#pragma once

// Images as JSON and as cells of a table. Pure.

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sock/image.hpp"

namespace sockctl {

nlohmann::json to_json(const sock::Image& image);
/// The first digits of a digest, as people read them.
std::string short_digest(const std::string& digest);

}  // namespace sockctl
