// Names and ids.

#include "call.hpp"

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace sockd {

std::string new_request_id() {
  return boost::uuids::to_string(boost::uuids::random_generator{}());
}

std::string_view to_string(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::result:
      return "result";
    case Outcome::Kind::raised:
      return "raised";
    case Outcome::Kind::timed_out:
      return "timed_out";
    case Outcome::Kind::exited:
      return "exited";
    case Outcome::Kind::out_of_memory:
      return "out_of_memory";
    case Outcome::Kind::bad_answer:
      return "bad_answer";
    case Outcome::Kind::not_started:
      return "not_started";
    case Outcome::Kind::unknown_function:
      return "unknown_function";
    case Outcome::Kind::bad_event:
      return "bad_event";
    case Outcome::Kind::function_busy:
      return "function_busy";
    case Outcome::Kind::overloaded:
      return "overloaded";
    case Outcome::Kind::closing:
      return "closing";
  }
  return "";
}

std::string_view shortened(std::string_view body) {
  constexpr std::size_t most = 16U << 10U;
  if (body.size() <= most) return body;
  const auto is_within_character = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
  };
  std::size_t end = most;
  while (end > 0 && is_within_character(body[end])) --end;
  return body.substr(0, end);
}

}  // namespace sockd
