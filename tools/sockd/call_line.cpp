// The text of an event and of a result goes through as it is; nothing is built from it.

#include "call_line.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sockd {
namespace {

using nlohmann::json;

constexpr std::string_view result_start = "{\"result\":";

// What is built from an answer is copied and written by functions that call themselves: a deep one
// would take all of the stack, and many small values forty times the memory of their text. Of JSON
// this is exact; what is none is refused by its parser.
bool is_too_much(std::string_view text) {
  constexpr std::size_t most_depth = 500;
  constexpr std::size_t most_values = 100'000;
  std::size_t depth = 0;
  std::size_t values = 0;
  bool is_in_text = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') is_in_text = !is_in_text;
    if (is_in_text && c == '\\') ++at;
    if (is_in_text) continue;
    if ((c == '[' || c == '{') && ++depth > most_depth) return true;
    if ((c == '[' || c == '{' || c == ',') && ++values > most_values) return true;
    if ((c == ']' || c == '}') && depth > 0) --depth;
  }
  return false;
}

// Whoever reads the answer gets no more of it than these.
json error_of(const json& raised) {
  json error{{"type", "Error"}, {"message", ""}, {"trace", json::array()}};
  for (auto& [key, value] : error.items())
    if (const auto found = raised.find(key); found != raised.end() && found->type() == value.type())
      value = *found;
  return error;
}

}  // namespace

// What reads it takes a zero byte for its end, which it is not.
bool is_json(std::string_view text) {
  return !text.contains('\0') && json::accept(text);
}

Result<> check_event(std::string_view event) {
  if (is_json(event)) return {};
  return sockctl::refuse(sock::Errc::invalid_spec, sock::Stage::validate, "the event",
                         "it is no JSON");
}

std::string line_of(const Call& call) {
  std::string line = line_of(call.event);
  line.back() = '}';
  line += '\n';
  std::string callee;
  if (!call.handler.empty())
    callee = fmt::format(R"("handler": {}, "wsgi": {}, "env": {}, )", json(call.handler).dump(),
                         call.wsgi, json(call.env).dump());
  line.insert(0, fmt::format(R"({{"id": {}, "function": {}, "remaining_ms": {}, {}"event": )",
                             json(call.id).dump(), json(call.function).dump(),
                             call.remaining.count(), callee));
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
    auto result = line.substr(result_start.size(), line.size() - result_start.size() - 1);
    if (result.starts_with(' ')) result.remove_prefix(1);
    if (is_json(result)) return Answer{.kind = Answer::Kind::result, .text = std::string{result}};
  }
  if (is_too_much(line) || line.contains('\0')) return corrupt();
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

std::string as_json_text(std::string_view text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

Answer answer_of_output(std::string_view output) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = std::min(output.find_first_not_of(space), output.size());
  const auto trimmed = output.substr(first, output.find_last_not_of(space) + 1 - first);
  if (is_json(trimmed)) return {.kind = Answer::Kind::result, .text = std::string{trimmed}};
  return {.kind = Answer::Kind::result, .text = as_json_text(output)};
}

}  // namespace sockd
