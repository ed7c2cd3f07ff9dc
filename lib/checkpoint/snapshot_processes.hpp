#pragma once

// Reading what a snapshot holds, process by process.

#include <vector>

#include "sock/checkpoint.hpp"
#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "checkpoint/manifest.hpp"

namespace sock::checkpoint {

/// `images`: the snapshot's directory of them. On failure: Errc::corrupt. Nothing is verified, so
/// what it tells may be another's word; how much is read is bounded.
Result<std::vector<SnapshotProcess>> processes_of(FdRef images, const Manifest& manifest);

}  // namespace sock::checkpoint
