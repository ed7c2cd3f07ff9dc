#pragma once

// One call as a line of JSON to a handler, and its answer. Handlers are not trusted. Pure.

#include <chrono>
#include <span>
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
  // Of a function that shares a sandbox, which has to be told whom to call:
  std::string_view handler = {};
  bool wsgi = false;
  std::span<const std::string> env = {};  ///< "NAME=value"
};
[[nodiscard]] bool is_json(std::string_view text);
/// A text as JSON, whatever bytes it has.
[[nodiscard]] std::string as_json_text(std::string_view text);
/// On failure: Errc::invalid_spec for what is no JSON.
Result<> check_event(std::string_view event);
/// What a Python handler is sent, with the newline. Of JSON alone.
std::string line_of(const Call& call);
/// What a native one is: the event, in one line.
std::string line_of(std::string_view event);

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
/// Of a program that has written all of this and ended: JSON as it is, without the space around it,
/// and anything else as a text.
Answer answer_of_output(std::string_view output);

}  // namespace sockd
