#pragma once

// Snapshots as JSON and as rows of a table. Pure.

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sock/checkpoint.hpp"

#include "globals.hpp"

namespace sockctl {

nlohmann::json to_json(const sock::Snapshot& snapshot);
nlohmann::json to_json(const std::vector<sock::SnapshotProcess>& processes);
nlohmann::json to_json(const std::string& before, const std::string& after,
                       const sock::SnapshotDifference& difference);
Result<> print_snapshots(Format format, const std::vector<sock::Snapshot>& snapshots);
/// Processes, their memory and their descriptors: a table of each, for people.
Result<> print_processes(const std::vector<sock::SnapshotProcess>& processes);
/// Between the snapshots of these names.
Result<> print_difference(Format format, const std::string& before, const std::string& after,
                          const sock::SnapshotDifference& difference);

}  // namespace sockctl
