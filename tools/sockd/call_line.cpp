// The text of an event and of a result goes through as it is; nothing is built from it.

#include "call_line.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sockd {
namespace {

using nlohmann::json;

constexpr std::string_view result_start = "{\"result\": ";

// Whoever reads the answer gets no more of it than these.
json error_of(const json& raised) {
  json error{{"type", "Error"}, {"message", ""}, {"trace", json::array()}};
  for (auto& [key, value] : error.items())
    if (const auto found = raised.find(key); found != raised.end() && found->type() == value.type())
      value = *found;
  return error;
}

}  // namespace

Result<std::string> line_of(const Call& call) {
  if (!json::accept(call.event))
    return sockctl::refuse(sock::Errc::invalid_spec, sock::Stage::validate, "the event",
                           "it is no JSON");
  std::string line =
      fmt::format(R"({{"id": {}, "function": {}, "remaining_ms": {}, "event": )",
                  json(call.id).dump(), json(call.function).dump(), call.remaining.count());
  const std::size_t start = line.size();
  line += call.event;
  // In JSON that is between its parts alone.
  std::replace_if(
      line.begin() + static_cast<std::ptrdiff_t>(start), line.end(),
      [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line + "}\n";
}

Result<Answer> parse_answer(std::string_view line) {
  const auto corrupt = [] {
    return sockctl::refuse(sock::Errc::corrupt, sock::Stage::none, "the handler's answer",
                           "it is none");
  };
  if (line.starts_with(result_start) && line.ends_with('}')) {
    const auto result = line.substr(result_start.size(), line.size() - result_start.size() - 1);
    if (json::accept(result))
      return Answer{.kind = Answer::Kind::result, .text = std::string{result}};
  }
  const json answer = json::parse(line, nullptr, false);
  if (!answer.is_object()) return corrupt();
  const auto error = answer.find("error");
  const auto result = answer.find("result");
  constexpr auto replace = json::error_handler_t::replace;
  if (error == answer.end() && result != answer.end())
    return Answer{.kind = Answer::Kind::result, .text = result->dump(-1, ' ', false, replace)};
  if (error == answer.end() || !error->is_object()) return corrupt();
  return Answer{.kind = Answer::Kind::error,
                .text = error_of(*error).dump(-1, ' ', false, replace)};
}

}  // namespace sockd
