// What payloads say to sockd: answers to calls, the output of a program, requests to the bus; and
// the events of callers. Input: which of them, then its text.

#include <array>

#include <nlohmann/json.hpp>

#include "input.hpp"
#include "sockd/bus_message.hpp"
#include "sockd/call_line.hpp"

namespace sock::fuzz {
namespace {

using namespace sockd;
using nlohmann::json;

bool is_line(std::string_view text) {
  return text.find('\n') == text.size() - 1;
}

void expect_error(const std::string& text) {
  const json error = json::parse(text, nullptr, false);
  expect(error.is_object() && error.size() == 3 && error.value("type", json{}).is_string() &&
             error.value("message", json{}).is_string() && error.value("trace", json{}).is_array(),
         "an error has a type, a message and a trace");
  const auto told = bus_error(Outcome{.kind = Outcome::Kind::raised, .body = text});
  expect(json::accept(told) && told.size() <= most_bus_message, "the bus can tell it");
}

void read_answer(std::string_view text) {
  const auto answer = parse_answer(text);
  if (!answer) return;
  // For nlohmann::json a zero byte is the end of what it reads.
  expect(json::accept(answer->text) && !answer->text.contains('\0'), "an answer is JSON");
  if (answer->kind == Answer::Kind::error) return expect_error(answer->text);
  // The end of a line can be in it only if the line had one.
  if (!text.contains('\n')) {
    const auto again = parse_answer("{\"result\": " + answer->text + "}");
    expect(again && *again == *answer, "told once more, it is the same");
  }
  expect(json::accept(bus_result(answer->text)), "the bus can tell it");
}

void read_output(std::string_view text) {
  const auto answer = answer_of_output(text);
  expect(answer.kind == Answer::Kind::result && json::accept(answer.text) &&
             !answer.text.contains('\0'),
         "whatever a program prints becomes JSON");
}

void send_event(std::string_view text) {
  if (!check_event(text)) return;
  expect(is_line(line_of(text)), "an event is one line");
  const auto line = line_of(
      Call{.id = "id", .function = "f", .remaining = std::chrono::milliseconds{5}, .event = text});
  expect(is_line(line), "a call is one line");
  const json call = json::parse(line, nullptr, false);
  expect(call.is_object() && call.size() == 4 && call.at("id") == "id",
         "an event adds nothing to a call");
  expect(call.at("event") == json::parse(text), "and goes through as it is");
}

void read_bus_request(std::string_view text) {
  const auto request = parse_bus_request(text);
  if (!request) {
    expect(json::accept(bus_error(request.error())), "why not can be told");
    return;
  }
  const json given = json::parse(text);
  expect(given.at("call").is_string(), "a request names its call");
  expect(given.value("name", "") == request->name && given.value("event", "") == request->event,
         "texts are as they were given");
  if (given.contains("by"))
    expect(given.at("by").dump() == std::to_string(request->by), "and so are numbers");
}

void tell_error(std::string_view text) {
  Input input{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  const std::string type = input.text();
  const auto told = bus_error(type, input.rest());
  expect(json::accept(told) && told.size() <= most_bus_message, "any words can be told");
}

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sock::fuzz;
  constexpr std::array readers{read_answer, read_output, send_event, read_bus_request, tell_error};
  Input input{data, size};
  readers[input.choice(readers.size())](input.rest());
  return 0;
}
