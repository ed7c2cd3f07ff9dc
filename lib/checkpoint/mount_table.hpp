#pragma once

// The mounts of a container, and who makes them again: /proc is CRIU's; everything else is stitched
// anew, and the content of its tmpfs mounts comes from the snapshot.

#include <string>
#include <string_view>
#include <vector>

#include "sock/result.hpp"

namespace sock::checkpoint {

/// The places, in the text of /proc/PID/mountinfo, that are stitched anew, sorted: "/" first. Pure.
/// On failure: Errc::unsupported for a mount over another one.
Result<std::vector<std::string>> places_to_stitch(std::string_view mountinfo);

}  // namespace sock::checkpoint
