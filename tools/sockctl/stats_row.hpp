#pragma once

// One row of `stats`, of containers and of zygotes.

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "listing.hpp"

namespace sockctl {

std::vector<Column> stats_columns();
std::vector<std::string> stats_row(const nlohmann::json& stats);

}  // namespace sockctl
