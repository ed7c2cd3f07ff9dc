#pragma once

// What two manifests say differently. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "sock/checkpoint.hpp"

#include "checkpoint/manifest.hpp"
#include "store/tree_record.hpp"

namespace sock::checkpoint {

/// Of two manifests' documents, as SnapshotDifference::fields has it.
Result<std::vector<SnapshotDifference::Field>> compare_documents(std::string_view before,
                                                                 std::string_view after);
/// The files of images/ that are not the same, by name.
std::vector<SnapshotDifference::File> compare_files(const std::vector<SnapshotFile>& before,
                                                    const std::vector<SnapshotFile>& after);
/// What is not the same in the tmpfs mount at `place`.
std::vector<SnapshotDifference::File> compare_trees(const std::string& place,
                                                    const store::TreeRecord& before,
                                                    const store::TreeRecord& after);

}  // namespace sock::checkpoint
