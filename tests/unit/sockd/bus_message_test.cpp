// What instances ask of the bus.

#include "sockd/bus_message.hpp"

#include <gtest/gtest.h>

namespace sockd {
namespace {

using namespace std::chrono_literals;

TEST(BusRequests, AreRead) {
  const auto invoke = parse_bus_request(
      R"({"call": "invoke", "name": "f", "event": "{\"a\": 1.50}", "wait": false})");
  ASSERT_TRUE(invoke.has_value());
  EXPECT_EQ(invoke->kind, BusRequest::Kind::invoke);
  EXPECT_EQ(invoke->event, R"({"a": 1.50})");
  EXPECT_FALSE(invoke->waits);
  const auto add = parse_bus_request(R"({"call": "add", "name": "n", "by": -3, "ttl_ms": 5})");
  ASSERT_TRUE(add.has_value());
  EXPECT_EQ(add->kind, BusRequest::Kind::add);
  EXPECT_EQ(add->by, -3);
  EXPECT_EQ(add->time_to_live, 5ms);
  EXPECT_EQ(parse_bus_request(R"({"call": "get", "more": []})")->kind, BusRequest::Kind::get);
}

TEST(BusRequests, ThatAreNoneAreRefused) {
  for (const char* const text :
       {"", "5", "[]", "{}", R"({"call": "fly"})", R"({"call": ["get"]})",
        R"({"call": "get", "name": 5})", R"({"call": "invoke", "event": {}})",
        R"({"call": "add", "by": "1"})", R"({"call": "add", "by": 1.5})",
        R"({"call": "put", "ttl_ms": true})", "{\"call\": \"get\", \"name\": \"\xff\"}"})
    EXPECT_FALSE(parse_bus_request(text).has_value()) << text;
}

TEST(BusRequests, HaveNoNumbersThatAreOthers) {
  EXPECT_FALSE(parse_bus_request(R"({"call": "add", "by": 18446744073709551615})").has_value());
  EXPECT_FALSE(parse_bus_request(R"({"call": "put", "ttl_ms": 9223372036854775808})").has_value());
}

TEST(BusAnswers, FitIntoAMessage) {
  EXPECT_EQ(bus_result("[1]"), R"({"result": [1]})");
  Outcome outcome{.kind = Outcome::Kind::raised,
                  .body = R"({"type": "E", "message": "m", "trace": ["t"]})"};
  EXPECT_EQ(bus_error(outcome), R"({"error": {"type": "E", "message": "m", "trace": ["t"]}})");
  outcome.body = R"({"type": "E", "message": ")" + std::string(most_bus_message, 'x') +
                 R"(", "trace": ["t"]})";
  EXPECT_LT(bus_error(outcome).size(), most_bus_message);
  EXPECT_TRUE(bus_error(outcome).contains(R"("type":"E")"));
  EXPECT_TRUE(bus_error(Outcome{.kind = Outcome::Kind::timed_out, .body = "late"})
                  .contains(R"("type":"timed_out")"));
}

}  // namespace
}  // namespace sockd
