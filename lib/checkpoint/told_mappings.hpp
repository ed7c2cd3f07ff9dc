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
#include "checkpoint/told_bounds.hpp"

namespace sock::checkpoint {

/// Of what CRIU has written: areas, those of their pages that it copies, and the table of files. On
/// failure: Errc::corrupt for areas or pages that do not come one after the other, and for more
/// than `bounds` has room for.
Result<std::vector<SnapshotProcess::Mapping>> told_mappings(
    std::vector<CriuArea> areas, const std::vector<CriuPages>& pages,
    const std::map<std::uint64_t, CriuOpenFile>& files, ToldBounds& bounds);

/// Of a zygote's `plan` (wire/process_image.hpp). On failure: Errc::corrupt, also for a plan that
/// no restorer takes.
Result<std::vector<SnapshotProcess::Mapping>> told_mappings(std::string_view plan,
                                                            ToldBounds& bounds);

}  // namespace sock::checkpoint
