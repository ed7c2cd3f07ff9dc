#pragma once

// Snapshots as JSON and as rows of a table. Pure.

#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sock/checkpoint.hpp"

#include "globals.hpp"

namespace sockctl {

nlohmann::json to_json(const sock::Snapshot& snapshot);
Result<> print_snapshots(Format format, const std::vector<sock::Snapshot>& snapshots);

}  // namespace sockctl
