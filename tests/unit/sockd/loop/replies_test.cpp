// Each outcome as HTTP, as AWS Lambda answers and as OpenLambda and OpenFaaS do.

#include "sockd/replies.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sockd {
namespace {

using nlohmann::json;
using enum Outcome::Kind;

struct Expected {
  Outcome::Kind kind;
  unsigned lambda;
  unsigned plain;
  const char* lambda_type;     ///< Of a refusal: the header.
  const char* function_error;  ///< Of a function that has failed: "errorType".
  bool again;                  ///< Retry-After.
};

constexpr Expected all[] = {{result, 200, 200, "", "", false},
                            {raised, 200, 500, "", "ValueError", false},
                            {timed_out, 200, 504, "", "Sandbox.Timedout", false},
                            {exited, 200, 500, "", "Runtime.ExitError", false},
                            {out_of_memory, 200, 500, "", "Runtime.OutOfMemory", false},
                            {bad_answer, 200, 500, "", "Runtime.MarshalError", false},
                            {not_started, 503, 503, "ServiceException", "", false},
                            {unknown_function, 404, 404, "ResourceNotFoundException", "", false},
                            {bad_event, 400, 400, "InvalidRequestContentException", "", false},
                            {function_busy, 429, 429, "TooManyRequestsException", "", true},
                            {overloaded, 429, 503, "TooManyRequestsException", "", true},
                            {closing, 503, 503, "ServiceException", "", true}};

Outcome outcome_of(Outcome::Kind kind) {
  Outcome outcome{.kind = kind, .body = "a line"};
  if (kind == result) outcome.body = R"({"a": 1})";
  if (kind == raised)
    outcome.body = R"({"type": "ValueError", "message": "no", "trace": ["line 1"]})";
  return outcome;
}

std::string header(const HttpResponse& response, std::string_view name) {
  const auto found = response.find(name);
  return found != response.end() ? std::string{found->value()} : std::string{};
}

TEST(Replies, AsLambdaAnswers) {
  for (const auto& expected : all) {
    SCOPED_TRACE(to_string(expected.kind));
    const auto reply = lambda_reply(outcome_of(expected.kind), "id-1", false);
    EXPECT_EQ(reply.result_int(), expected.lambda);
    EXPECT_EQ(header(reply, "X-Amzn-ErrorType"), expected.lambda_type);
    EXPECT_EQ(header(reply, "Retry-After"), expected.again ? "1" : "");
    EXPECT_EQ(header(reply, "x-amzn-RequestId"), "id-1");
    EXPECT_EQ(header(reply, "X-Sock-Request-Id"), "id-1");
    EXPECT_EQ(header(reply, "Content-Type"), "application/json");
    const std::string_view error = expected.function_error;
    EXPECT_EQ(header(reply, "X-Amz-Function-Error"), error.empty() ? "" : "Unhandled");
    const json body = json::parse(reply.body());
    EXPECT_TRUE(expected.kind != result || reply.body() == R"({"a": 1})") << "to the byte";
    EXPECT_TRUE(error.empty() || body.at("errorType") == error) << body;
    if (*expected.lambda_type != '\0') {
      EXPECT_EQ(body.at("Message"), "a line");
      EXPECT_EQ(body.at("Type"), expected.lambda < 500 ? "User" : "Service");
    }
  }
  const json raised_body = json::parse(lambda_reply(outcome_of(raised), "id-1", false).body());
  EXPECT_EQ(raised_body, json::parse(R"({"errorType": "ValueError", "errorMessage": "no",
                                         "stackTrace": ["line 1"], "requestId": "id-1"})"));
}

TEST(Replies, AsOpenLambdaAndOpenFaasAnswer) {
  for (const auto& expected : all) {
    SCOPED_TRACE(to_string(expected.kind));
    const auto reply = plain_reply(outcome_of(expected.kind), "id-1");
    EXPECT_EQ(reply.result_int(), expected.plain);
    EXPECT_EQ(header(reply, "Retry-After"), expected.again ? "1" : "");
    EXPECT_EQ(header(reply, "X-Sock-Request-Id"), "id-1");
    EXPECT_EQ(header(reply, "X-Amz-Function-Error"), "");
    EXPECT_TRUE(reply.body().ends_with('\n'));
    const json body = json::parse(reply.body());
    if (expected.kind == result)
      EXPECT_EQ(body, json::parse(R"({"a": 1})"));
    else if (expected.kind == raised)
      EXPECT_EQ(body.at("error"), json::parse(outcome_of(raised).body));
    else
      EXPECT_EQ(body,
                (json{{"error", {{"type", to_string(expected.kind)}, {"message", "a line"}}}}));
  }
}

TEST(Replies, TellHowACallWasServed) {
  Outcome outcome = outcome_of(result);
  outcome.version = 3;
  outcome.path = "zygote";
  outcome.zygote = "node-1";
  outcome.stages = {{.name = "queue", .elapsed = std::chrono::microseconds{1500}},
                    {.name = "call", .elapsed = std::chrono::milliseconds{2}}};
  outcome.fallback = "line 1\r\nX-Amz-Function-Error: Unhandled";
  for (const auto& reply : {lambda_reply(outcome, "id", false), plain_reply(outcome, "id")}) {
    EXPECT_EQ(header(reply, "X-Sock-Version"), "3");
    EXPECT_EQ(header(reply, "X-Sock-Path"), "zygote");
    EXPECT_EQ(header(reply, "X-Sock-Zygote"), "node-1");
    EXPECT_EQ(header(reply, "Server-Timing"), "queue;dur=1.500, call;dur=2.000");
    EXPECT_TRUE(header(reply, "X-Sock-Fallback").find_first_of("\r\n") == std::string::npos)
        << "what others have a say in never makes two headers of one";
    EXPECT_EQ(header(reply, "X-Amz-Function-Error"), "");
  }
  EXPECT_EQ(header(lambda_reply(outcome, "id", false), "X-Amz-Executed-Version"), "3");
}

TEST(Replies, HaveTheEndOfTheLogForWhoeverAsks) {
  Outcome outcome = outcome_of(result);
  outcome.version = 1;
  EXPECT_EQ(lambda_reply(outcome, "id", true).count("X-Amz-Log-Result"), 1U) << "even when empty";
  outcome.printed.text = std::string(5000, 'a') + "xyz";
  EXPECT_EQ(lambda_reply(outcome, "id", false).count("X-Amz-Log-Result"), 0U);
  const std::string log = header(lambda_reply(outcome, "id", true), "X-Amz-Log-Result");
  EXPECT_EQ(log.size(), (4096 + 2) / 3 * 4) << "base64 of four KiB";
  EXPECT_TRUE(log.starts_with("YWFh") && log.ends_with("eg==")) << log.substr(log.size() - 8);
  outcome.kind = unknown_function;
  outcome.version = 0;
  EXPECT_EQ(lambda_reply(outcome, "id", true).count("X-Amz-Log-Result"), 0U);
}

TEST(Replies, ToEventsSayWhetherTheyAreKept) {
  EXPECT_EQ(lambda_accepted({}, "id").result_int(), 202U);
  EXPECT_EQ(plain_accepted({}, "id").result_int(), 202U);
  EXPECT_EQ(header(plain_accepted({}, "id"), "X-Call-Id"), "id");
  const auto refused = [](sock::Errc code) {
    return sock::Result<>{sockctl::refuse(code, sock::Stage::none, "event", "why")};
  };
  struct {
    sock::Errc code;
    unsigned lambda;
    unsigned plain;
    const char* lambda_again;
    const char* plain_again;
  } const cases[] = {{sock::Errc::invalid_spec, 400, 400, "", ""},
                     {sock::Errc::exhausted, 429, 503, "1", "1"},
                     {sock::Errc::closed, 503, 503, "1", "1"},
                     {sock::Errc::io, 503, 503, "1", "1"}};
  for (const auto& each : cases) {
    SCOPED_TRACE(to_string(each.code));
    const auto lambda = lambda_accepted(refused(each.code), "id");
    const auto plain = plain_accepted(refused(each.code), "id");
    EXPECT_EQ(lambda.result_int(), each.lambda);
    EXPECT_EQ(plain.result_int(), each.plain);
    EXPECT_EQ(header(lambda, "Retry-After"), each.lambda_again);
    EXPECT_EQ(header(plain, "Retry-After"), each.plain_again);
    EXPECT_EQ(header(lambda, "x-amzn-RequestId"), "id");
    EXPECT_EQ(header(plain, "X-Sock-Request-Id"), "id");
  }
}

TEST(Replies, HaveTheStatusThatFitsAnError) {
  using sock::Errc;
  using sock::Stage;
  struct {
    Errc code;
    Stage stage;
    unsigned status;
    const char* again;
  } const cases[] = {{Errc::invalid_spec, Stage::none, 400, ""},
                     {Errc::not_found, Stage::none, 404, ""},
                     {Errc::exists, Stage::none, 412, ""},
                     {Errc::denied, Stage::none, 403, ""},
                     {Errc::exhausted, Stage::validate, 413, ""},
                     {Errc::exhausted, Stage::none, 503, "1"},
                     {Errc::io, Stage::none, 500, ""}};
  for (const auto& each : cases) {
    SCOPED_TRACE(to_string(each.code));
    const auto reply = error_reply(
        {.code = each.code, .stage = each.stage, .sys_errno = 0, .subject = "it", .hint = {}});
    EXPECT_EQ(reply.result_int(), each.status);
    EXPECT_EQ(header(reply, "Retry-After"), each.again);
    EXPECT_EQ(json::parse(reply.body()).at("error").at("code"), to_string(each.code));
  }
}

TEST(Replies, AreJsonWhateverWasSaid) {
  Outcome outcome = outcome_of(exited);
  outcome.body = "\xff\"\n";
  EXPECT_TRUE(json::accept(plain_reply(outcome, "id").body()));
  EXPECT_TRUE(json::accept(lambda_reply(outcome, "id", false).body()));
}

}  // namespace
}  // namespace sockd
