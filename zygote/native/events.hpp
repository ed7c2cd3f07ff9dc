#pragma once

// Calls a handler for events that come over a channel, as zygote/python/sock_handler.py does: a
// line of JSON each way, {"result": ...} or {"error": {"type", "message", "trace"}}.

#include <cstddef>

#include "sock/handler.h"

#include "native/text_buffer.hpp"

namespace sock::zygote {

/// Of an event or a result, as in AWS Lambda.
inline constexpr std::size_t most_event_bytes = std::size_t{6} << 20U;

/// Calls handler.handle() and puts the line that answers the event into `line`. After `event` there
/// is a NUL.
void answer_event(const sock_handler& handler, sock_text event, TextBuffer& line) noexcept;

/// Answers what comes over the channel that SOCK_FDS names. Returns, at its end, the status to exit
/// with.
int serve_events(const sock_handler& handler) noexcept;

}  // namespace sock::zygote
