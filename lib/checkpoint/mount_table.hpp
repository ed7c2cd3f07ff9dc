#pragma once

// The mounts of a container, and who makes them again: what its Rootfs describes is stitched anew,
// its tmpfs mounts come with their content from the snapshot, and /proc from CRIU.

#include <string>
#include <string_view>
#include <vector>

#include "sock/result.hpp"
#include "sock/spec.hpp"

namespace sock::checkpoint {

/// The places, in the text of /proc/PID/mountinfo, that are stitched anew, sorted: "/" first. Pure.
/// On failure: Errc::unsupported for a mount over another one.
Result<std::vector<std::string>> places_to_stitch(std::string_view mountinfo, const Rootfs& rootfs);

}  // namespace sock::checkpoint
