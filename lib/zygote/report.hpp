#pragma once

// What a forked child says of its own start. It is the word of a possibly hostile process: a report
// is taken only when it could be true. Pure.

#include <cstddef>
#include <cstdint>
#include <span>

#include "sock/result.hpp"

#include "child/plan.hpp"

namespace sock::zygote {

/// `now` is the monotonic clock's in nanoseconds: no step can have taken longer, and none can have
/// ended later. On failure: Errc::corrupt, no stage.
Result<child::Report> decode_report(std::span<const std::byte> message, std::int64_t now);

}  // namespace sock::zygote
