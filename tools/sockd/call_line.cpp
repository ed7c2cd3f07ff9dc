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

Result<> check_event(std::string_view event) {
  if (json::accept(event)) return {};
  return sockctl::refuse(sock::Errc::invalid_spec, sock::Stage::validate, "the event",
                         "it is no JSON");
}

std::string line_of(const Call& call) {
  std::string line = line_of(call.event);
  line.back() = '}';
  line += '\n';
  line.insert(
      0, fmt::format(R"({{"id": {}, "function": {}, "remaining_ms": {}, "event": )",
                     json(call.id).dump(), json(call.function).dump(), call.remaining.count()));
  return line;
}

// In JSON the end of a line can only be between its parts.
std::string line_of(std::string_view event) {
  std::string line{event};
  std::ranges::replace_if(
      line, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line + '\n';
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

Answer answer_of_output(std::string_view output) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = std::min(output.find_first_not_of(space), output.size());
  const auto trimmed = output.substr(first, output.find_last_not_of(space) + 1 - first);
  if (json::accept(trimmed)) return {.kind = Answer::Kind::result, .text = std::string{trimmed}};
  return {.kind = Answer::Kind::result,
          .text = json(output).dump(-1, ' ', false, json::error_handler_t::replace)};
}

}  // namespace sockd
