#pragma once

// The memory of a process in a snapshot, as people are told of it. Pure.

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "sock/checkpoint.hpp"
#include "sock/result.hpp"

#include "checkpoint/criu_images.hpp"
#include "checkpoint/criu_processes.hpp"

namespace sock::checkpoint {

/// Of what CRIU has written: areas, those of their pages that it copies, and the table of files. On
/// failure: Errc::corrupt for areas or pages that do not come one after the other.
Result<std::vector<SnapshotProcess::Mapping>> told_mappings(
    const std::vector<CriuArea>& areas, const std::vector<CriuPages>& pages,
    const std::map<std::uint64_t, CriuOpenFile>& files);

/// Of a zygote's `plan` (wire/process_image.hpp). On failure: Errc::corrupt.
Result<std::vector<SnapshotProcess::Mapping>> told_mappings(std::string_view plan);

}  // namespace sock::checkpoint
