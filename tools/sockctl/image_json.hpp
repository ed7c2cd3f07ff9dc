#pragma once

// Images as JSON and as cells of a table. Pure.

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sock/image.hpp"

namespace sockctl {

nlohmann::json to_json(const sock::Image& image);
/// "2026-11-26 02:22:56", in UTC.
std::string time_text(std::chrono::system_clock::time_point time);
/// The first digits of a digest, as people read them.
std::string short_digest(const std::string& digest);

}  // namespace sockctl
