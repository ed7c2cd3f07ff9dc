// Calls and answers as lines.

#include "sockd/call_line.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sockd {
namespace {

using namespace std::chrono_literals;

std::string line(std::string_view event) {
  return line_of(Call{.id = "id", .function = "f", .remaining = 1500ms, .event = event});
}

TEST(CallLine, IsOneLineWithTheEventAsItIs) {
  EXPECT_EQ(line("{\"a\": 1.50}"),
            "{\"id\": \"id\", \"function\": \"f\", \"remaining_ms\": 1500, "
            "\"event\": {\"a\": 1.50}}\n");
  EXPECT_EQ(line("[\r\n1,\n2]"),
            "{\"id\": \"id\", \"function\": \"f\", \"remaining_ms\": 1500, "
            "\"event\": [  1, 2]}\n");
}

TEST(CallLine, SaysWhomToCallInASandboxThatIsShared) {
  const std::vector<std::string> env{"A=\"1\"\n"};
  const Call call{.id = "id",
                  .function = "f",
                  .remaining = 10ms,
                  .event = "1",
                  .handler = "m:f",
                  .wsgi = true,
                  .env = env};
  EXPECT_EQ(line_of(call), R"({"id": "id", "function": "f", "remaining_ms": 10, "handler": "m:f", )"
                           R"("wsgi": true, "env": ["A=\"1\"\n"], "event": 1})"
                           "\n");
}

TEST(CallLine, OfANativeHandlerIsTheEvent) {
  EXPECT_EQ(line_of("[\n1]"), "[ 1]\n");
}

TEST(Events, AreJsonAlone) {
  for (const char* const event : {"", "{", "1}", "1, \"id\": 2", "'x'", "\"a\nb\"", "1 2"})
    EXPECT_FALSE(check_event(event).has_value()) << event;
  for (const char* const event : {"1", " {} ", "[\n1]"})
    EXPECT_TRUE(check_event(event).has_value()) << event;
}

TEST(Answers, OfProgramsAreJsonOrText) {
  const auto text = [](std::string_view output) { return answer_of_output(output).text; };
  EXPECT_EQ(text(" {\"a\": 1}\n"), "{\"a\": 1}");
  EXPECT_EQ(text("5"), "5");
  EXPECT_EQ(text(""), "\"\"");
  EXPECT_EQ(text("\n"), R"("\n")");
  EXPECT_EQ(text("two words\n"), R"("two words\n")");
  EXPECT_EQ(text("\xff"), "\"\xef\xbf\xbd\"") << "what is no text is replaced";
}

TEST(Answers, AreResultsOrErrors) {
  EXPECT_EQ(parse_answer(R"({"result": {"a": 1.50}})").value(),
            (Answer{.kind = Answer::Kind::result, .text = R"({"a": 1.50})"}));
  EXPECT_EQ(parse_answer(R"({"result":5})").value(),
            (Answer{.kind = Answer::Kind::result, .text = "5"}));
  const auto error =
      parse_answer(R"({"error": {"type": "E", "message": "m", "trace": ["t"], "more": 1}})");
  EXPECT_EQ(error.value(), (Answer{.kind = Answer::Kind::error,
                                   .text = R"({"message":"m","trace":["t"],"type":"E"})"}));
  const auto odd = parse_answer(R"({"error": {"type": 5, "trace": "none"}})");
  EXPECT_EQ(odd.value().text, R"({"message":"","trace":[],"type":"Error"})");
}

TEST(Answers, ThatSayBothOrNothingAreNone) {
  for (const char* const text :
       {"", "5", "{}", "[]", R"({"result": })", R"({"result": 1, "error": 2})",
        R"({"error": "text"})", R"({"result": 1} {"result": 2})", "{\"result\": \"\xff\"}"}) {
    const auto answer = parse_answer(text);
    ASSERT_FALSE(answer.has_value()) << text;
    EXPECT_EQ(answer.error().code, sock::Errc::corrupt);
  }
}

TEST(Answers, OfWhichTooMuchWouldBeBuiltAreNone) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + R"("\"[{")" + std::string(depth, ']');
  };
  constexpr std::size_t some = 400;
  constexpr std::size_t many = 1'000'000;
  EXPECT_EQ(parse_answer("{ \"result\":" + nested(some) + "}").value().text, nested(some));
  EXPECT_FALSE(parse_answer("{ \"result\":" + nested(many) + "}").has_value());
  EXPECT_FALSE(parse_answer(R"({"error": {"trace": )" + nested(many) + "}}").has_value());
  EXPECT_FALSE(parse_answer(std::string(many, '[')).has_value());
  std::string wide = "[0";
  for (std::size_t number = 0; number < some * some; ++number) wide += ",0";
  wide += "]";
  EXPECT_FALSE(parse_answer("{ \"result\":" + wide + "}").has_value());
  EXPECT_FALSE(parse_answer(R"({"error": {"trace": )" + wide + "}}").has_value());
  // Nothing is built of what goes through as it is.
  for (const auto& text : {nested(many), wide}) {
    EXPECT_EQ(parse_answer("{\"result\": " + text + "}").value().text, text);
    EXPECT_EQ(parse_answer("{\"result\":" + text + "}").value().text, text);
  }
}

TEST(Events, HaveNoZeroByte) {
  using namespace std::string_view_literals;
  // For nlohmann::json it is the end of what it reads, whatever follows.
  EXPECT_FALSE(check_event("1\0 and more"sv).has_value());
  EXPECT_FALSE(parse_answer("{\"result\": 1\0 and more}"sv).has_value());
  EXPECT_EQ(answer_of_output("1\0 and more"sv).text, R"("1\u0000 and more")");
}

}  // namespace
}  // namespace sockd
