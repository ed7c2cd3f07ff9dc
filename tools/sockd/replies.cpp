// Where an instance came from, and the time of each stage, go with every answer.

#include "replies.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nettle/base64.h>
#include <nlohmann/json.hpp>

namespace sockd {
namespace {

using nlohmann::json;

constexpr std::size_t most_tail = 4096;
constexpr const char* retry_after = "1";  // seconds

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// What a function or a package has a say in never makes two headers of one.
std::string header_text(const std::string& text) {
  return sock::printable(text);
}

std::string stages_of(const Outcome& outcome) {
  std::string text;
  for (const auto& [name, elapsed] : outcome.stages)
    text += fmt::format("{}{};dur={:.3f}", text.empty() ? "" : ", ", name,
                        std::chrono::duration<double, std::milli>(elapsed).count());
  return text;
}

void tell_path(HttpResponse& response, const Outcome& outcome, const std::string& id) {
  response.set("X-Sock-Request-Id", id);
  if (outcome.version > 0) response.set("X-Sock-Version", std::to_string(outcome.version));
  if (!outcome.path.empty()) response.set("X-Sock-Path", outcome.path);
  if (!outcome.zygote.empty()) response.set("X-Sock-Zygote", header_text(outcome.zygote));
  if (!outcome.fallback.empty()) response.set("X-Sock-Fallback", header_text(outcome.fallback));
  if (!outcome.stages.empty()) response.set("Server-Timing", stages_of(outcome));
}

std::string base64(std::string_view text) {
  std::string encoded(BASE64_ENCODE_RAW_LENGTH(text.size()), '\0');
  base64_encode_raw(encoded.data(), text.size(),
                    reinterpret_cast<const std::uint8_t*>(text.data()));
  return encoded;
}

std::string_view tail(std::string_view text) {
  return text.substr(text.size() - std::min(text.size(), most_tail));
}

http::status status_of(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::result:
      return http::status::ok;
    case Outcome::Kind::unknown_function:
      return http::status::not_found;
    case Outcome::Kind::bad_event:
      return http::status::bad_request;
    case Outcome::Kind::function_busy:
      return http::status::too_many_requests;
    case Outcome::Kind::overloaded:
    case Outcome::Kind::closing:
    case Outcome::Kind::not_started:
      return http::status::service_unavailable;
    case Outcome::Kind::timed_out:
      return http::status::gateway_timeout;
    case Outcome::Kind::raised:
    case Outcome::Kind::exited:
    case Outcome::Kind::out_of_memory:
    case Outcome::Kind::bad_answer:
      break;
  }
  return http::status::internal_server_error;
}

bool may_be_tried_again(Outcome::Kind kind) {
  return kind == Outcome::Kind::function_busy || kind == Outcome::Kind::overloaded ||
         kind == Outcome::Kind::closing;
}

// What AWS Lambda's own runtimes say of such an end.
json function_error(const Outcome& outcome, const std::string& id) {
  if (outcome.kind == Outcome::Kind::raised) {
    const json raised = json::parse(outcome.body, nullptr, false);
    return {{"errorType", raised.value("type", "Error")},
            {"errorMessage", raised.value("message", "")},
            {"stackTrace", raised.value("trace", json::array())},
            {"requestId", id}};
  }
  const char* type = "Runtime.ExitError";
  if (outcome.kind == Outcome::Kind::timed_out) type = "Sandbox.Timedout";
  if (outcome.kind == Outcome::Kind::out_of_memory) type = "Runtime.OutOfMemory";
  if (outcome.kind == Outcome::Kind::bad_answer) type = "Runtime.MarshalError";
  return {{"errorType", type},
          {"errorMessage", fmt::format("RequestId: {} Error: {}", id, outcome.body)}};
}

const char* lambda_type(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::unknown_function:
      return "ResourceNotFoundException";
    case Outcome::Kind::bad_event:
      return "InvalidRequestContentException";
    case Outcome::Kind::function_busy:
    case Outcome::Kind::overloaded:
      return "TooManyRequestsException";
    default:
      return "ServiceException";
  }
}

/// Of an event.
std::pair<http::status, const char*> refusal_of(sock::Errc code) {
  switch (code) {
    case sock::Errc::invalid_spec:
      return {http::status::bad_request, "InvalidRequestContentException"};
    case sock::Errc::exhausted:
      return {http::status::too_many_requests, "TooManyRequestsException"};
    default:
      return {http::status::service_unavailable, "ServiceException"};
  }
}

}  // namespace

HttpResponse json_reply(http::status status, const json& body) {
  HttpResponse response{status, 11};
  response.set(http::field::content_type, "application/json");
  response.body() = dump(body) + "\n";
  return response;
}

HttpResponse text_reply(http::status status, std::string text) {
  HttpResponse response{status, 11};
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.body() = std::move(text);
  return response;
}

HttpResponse error_reply(const sock::Error& error) {
  http::status status = http::status::internal_server_error;
  if (error.code == sock::Errc::invalid_spec) status = http::status::bad_request;
  if (error.code == sock::Errc::not_found) status = http::status::not_found;
  if (error.code == sock::Errc::exists) status = http::status::precondition_failed;
  if (error.code == sock::Errc::denied) status = http::status::forbidden;
  // Else something of the machine is: a full disk, no descriptor left.
  const bool is_too_much = error.stage == sock::Stage::validate && error.sys_errno == 0;
  if (error.code == sock::Errc::exhausted)
    status = is_too_much ? http::status::payload_too_large : http::status::service_unavailable;
  auto response = json_reply(
      status, {{"error", {{"code", to_string(error.code)}, {"message", error.message()}}}});
  if (status == http::status::service_unavailable)
    response.set(http::field::retry_after, retry_after);
  return response;
}

HttpResponse lambda_error(http::status status, std::string_view type, const std::string& id,
                          std::string message) {
  auto response = json_reply(
      status, {{"Type", status < http::status::internal_server_error ? "User" : "Service"},
               {"Message", std::move(message)}});
  response.set("X-Amzn-ErrorType", type);
  response.set("x-amzn-RequestId", id);
  return response;
}

HttpResponse lambda_reply(const Outcome& outcome, const std::string& id, bool wants_log) {
  HttpResponse response{http::status::ok, 11};
  switch (outcome.kind) {
    case Outcome::Kind::result:
      response.set(http::field::content_type, "application/json");
      response.body() = outcome.body;
      break;
    case Outcome::Kind::raised:
    case Outcome::Kind::timed_out:
    case Outcome::Kind::exited:
    case Outcome::Kind::out_of_memory:
    case Outcome::Kind::bad_answer:
      response.set(http::field::content_type, "application/json");
      response.set("X-Amz-Function-Error", "Unhandled");
      response.body() = dump(function_error(outcome, id));
      break;
    default: {
      // Lambda has one answer for too many calls.
      const auto status = outcome.kind == Outcome::Kind::overloaded
                              ? http::status::too_many_requests
                              : status_of(outcome.kind);
      response = lambda_error(status, lambda_type(outcome.kind), id, outcome.body);
    }
  }
  response.set("x-amzn-RequestId", id);
  if (outcome.version > 0) response.set("X-Amz-Executed-Version", std::to_string(outcome.version));
  // Whoever asks finds it even where nothing was printed.
  if (wants_log && outcome.version > 0)
    response.set("X-Amz-Log-Result", base64(tail(outcome.printed.text)));
  if (may_be_tried_again(outcome.kind)) response.set(http::field::retry_after, retry_after);
  tell_path(response, outcome, id);
  return response;
}

HttpResponse lambda_accepted(const sock::Result<>& accepted, const std::string& id) {
  HttpResponse response{http::status::accepted, 11};
  if (!accepted.has_value()) {
    const auto& [status, type] = refusal_of(accepted.error().code);
    response = lambda_error(status, type, id, accepted.error().message());
    if (status != http::status::bad_request) response.set(http::field::retry_after, retry_after);
  }
  response.set("x-amzn-RequestId", id);
  response.set("X-Sock-Request-Id", id);
  return response;
}

HttpResponse plain_accepted(const sock::Result<>& accepted, const std::string& id) {
  HttpResponse response{http::status::accepted, 11};
  if (!accepted.has_value()) {
    response = error_reply(accepted.error());
    if (accepted.error().code != sock::Errc::invalid_spec) {
      response.result(http::status::service_unavailable);
      response.set(http::field::retry_after, retry_after);
    }
  }
  response.set("X-Call-Id", id);
  response.set("X-Sock-Request-Id", id);
  return response;
}

HttpResponse plain_reply(const Outcome& outcome, const std::string& id) {
  HttpResponse response{status_of(outcome.kind), 11};
  response.set(http::field::content_type, "application/json");
  if (outcome.kind == Outcome::Kind::result)
    response.body() = outcome.body + "\n";
  else if (outcome.kind == Outcome::Kind::raised)
    response.body() = dump({{"error", json::parse(outcome.body, nullptr, false)}}) + "\n";
  else
    response.body() =
        dump({{"error", {{"type", to_string(outcome.kind)}, {"message", outcome.body}}}}) + "\n";
  if (may_be_tried_again(outcome.kind)) response.set(http::field::retry_after, retry_after);
  tell_path(response, outcome, id);
  return response;
}

}  // namespace sockd
