#pragma once

// One call as a line of JSON to a handler, and its answer. Handlers are not trusted. Pure.

#include <chrono>
#include <string>
#include <string_view>

#include "try.hpp"

namespace sockd {

using sock::Result;

inline constexpr std::size_t most_payload = 6U << 20U;  ///< Bytes of an event or a result.

struct Call {
  std::string_view id;
  std::string_view function;
  std::chrono::milliseconds remaining;  ///< Until it is given up.
  std::string_view event;               ///< JSON
};
/// Ends with the newline. On failure: Errc::invalid_spec for an event that is no JSON.
Result<std::string> line_of(const Call& call);

struct Answer {
  enum class Kind : std::uint8_t {
    result,  ///< `text` is JSON, what the handler has returned.
    error,   ///< `text` is JSON, {"type", "message", "trace"}: what it has raised.
  } kind;
  std::string text;
  friend bool operator==(const Answer&, const Answer&) = default;
};
/// From a line without its newline. On failure: Errc::corrupt.
Result<Answer> parse_answer(std::string_view line);

}  // namespace sockd
