// Rights, and an answer for each route.

#include "api.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "lambda_name.hpp"
#include "page/page.hpp"
#include "replies.hpp"
#include "status.hpp"

namespace sockd {
namespace {

using nlohmann::json;

constexpr std::size_t most_archive = 64U << 20U;
constexpr std::size_t most_unasked = 64U << 10U;  // Of whoever may do nothing.
constexpr std::size_t most_log_lines = 10'000;
constexpr std::chrono::seconds follow_time{20};  // Then whoever follows asks again.

std::string_view text_of(beast::string_view text) {
  return {text.data(), text.size()};
}

Route route_of(const http::request_header<>& header) {
  return sockd::route_of(text_of(header.method_string()), text_of(header.target()));
}

/// Whether nobody waits for what becomes of it.
bool is_event(const Route& route, const http::request_header<>& header) {
  return route.kind == Route::Kind::run_later ||
         (route.kind == Route::Kind::invoke && header["X-Amz-Invocation-Type"] == "Event");
}

/// As long for a wrong one, wherever it is wrong.
bool is_same(std::string_view given, std::string_view secret) {
  unsigned difference = given.size() == secret.size() ? 0 : 1;
  for (std::size_t at = 0; at < given.size(); ++at)
    difference |= static_cast<unsigned char>(given[at]) ^
                  static_cast<unsigned char>(secret[at % secret.size()]);
  return difference == 0;
}

// A page of somebody else's in a browser of this machine can send requests here; its address is
// then in Origin, or its name, which leads here, in Host.
bool is_of_a_strange_page(const http::request_header<>& header) {
  const std::string host{text_of(header[http::field::host])};
  const auto origin = text_of(header[http::field::origin]);
  if (!origin.empty() && origin != "http://" + host) return true;
  std::string name = host.substr(0, host.rfind(':'));
  if (host.ends_with(']')) name = host;
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  boost::system::error_code failed;
  boost::asio::ip::make_address(name, failed);
  return !host.empty() && name != "localhost" && failed;
}

HttpResponse refuse_path() {
  return json_reply(http::status::not_found,
                    {{"error", {{"code", "not_found"}, {"message", "there is no such path"}}}});
}

// To a client of AWS Lambda.
HttpResponse no_such_function(const std::string& name, const std::string& id) {
  return lambda_error(http::status::not_found, "ResourceNotFoundException", id,
                      "Function not found: " + sock::printable(name));
}

HttpResponse unknown(const std::string& name) {
  return error_reply({.code = Errc::not_found,
                      .subject = "function '" + sock::printable(name) + "'",
                      .hint = "there is none of this name"});
}

HttpResponse refuse_method(const std::string& methods) {
  auto response = json_reply(
      http::status::method_not_allowed,
      {{"error", {{"code", "invalid_spec"}, {"message", fmt::format("use {}", methods)}}}});
  response.set(http::field::allow, methods);
  return response;
}

}  // namespace

Rights Api::rights_of(const http::request_header<>& header, Peer peer) const {
  if (peer == Peer::owner) return Rights::everything;
  if (token_.empty()) return is_of_a_strange_page(header) ? Rights::none : Rights::call;
  constexpr std::string_view scheme = "Bearer ";
  const auto given = text_of(header[http::field::authorization]);
  if (!given.starts_with(scheme) || !is_same(given.substr(scheme.size()), token_))
    return Rights::none;
  return Rights::everything;
}

std::size_t Api::most_body(const http::request_header<>& header, Peer peer) const {
  const Rights rights = rights_of(header, peer);
  if (rights == Rights::none) return most_unasked;
  const Route route = route_of(header);
  if (route.kind == Route::Kind::put && rights == Rights::everything) return most_archive;
  return is_event(route, header) ? most_event : most_payload;
}

// Without a token to show, nothing is denied but to a page of somebody else's.
HttpResponse Api::denial() const {
  if (token_.empty())
    return error_reply({.code = Errc::denied,
                        .subject = "a page of another site",
                        .hint = "its Origin or Host is not this server's address"});
  auto response =
      error_reply({.code = Errc::denied,
                   .subject = "the request",
                   .hint = "Authorization: Bearer TOKEN is missing, or the token is another"});
  response.result(http::status::unauthorized);
  response.set(http::field::www_authenticate, "Bearer");
  return response;
}

HttpResponse Api::too_large(const http::request_header<>& header, Peer peer,
                            std::size_t most) const {
  if (rights_of(header, peer) == Rights::none) return denial();
  if (route_of(header).kind == Route::Kind::invoke)
    return lambda_error(
        http::status::payload_too_large, "RequestTooLargeException", new_request_id(),
        fmt::format("Request must be smaller than {} bytes for the InvokeFunction operation",
                    most));
  return error_reply({.code = Errc::exhausted,
                      .stage = Stage::validate,
                      .subject = "the body",
                      .hint = fmt::format("it has at most {} bytes", most)});
}

std::optional<HttpResponse> Api::refusal_of(const Route& route, Rights rights) const {
  if (route.kind == Route::Kind::health) return std::nullopt;
  const bool is_strange = rights == Rights::none && token_.empty();
  if (is_strange || (rights == Rights::none && route.needs > rights)) return denial();
  if (route.needs > rights)
    return error_reply({.code = Errc::denied,
                        .subject = "functions",
                        .hint = "use the control socket, or set token_file"});
  return std::nullopt;
}

asio::awaitable<HttpResponse> Api::handle(HttpRequest request, Peer peer) {
  const Route route = route_of(request.base());
  auto refusal = refusal_of(route, rights_of(request.base(), peer));
  if (refusal) co_return std::move(*refusal);
  co_return co_await serve(route, request);
}

void Api::tell_refusals() {
  std::fputs(refusals_.rest(RefusalLog::Clock::now()).c_str(), stderr);
}

// What has taken its turn, however it ended, is in its function's log.
void Api::answered(std::string_view request, const HttpResponse& response) {
  const unsigned status = response.result_int();
  parts_.metrics.count_answer(status);
  const bool was_called = response.find("Server-Timing") != response.end();
  if (response.result() < http::status::bad_request || was_called) return;
  const auto text = refusals_.note({.status = status, .request = request, .why = response.body()},
                                   RefusalLog::Clock::now());
  std::fputs(text.c_str(), stderr);
}

asio::awaitable<HttpResponse> Api::serve(const Route& route, HttpRequest& request) {
  using enum Route::Kind;
  switch (route.kind) {
    case health:
      co_return text_reply(http::status::ok, "ok\n");
    case page:
      co_return status_page();
    case metrics:
      co_return tell_metrics();
    case status:
      co_return tell_status();
    case invoke:
      co_return co_await call_as_lambda(request, route.name);
    case run:
      co_return co_await call(request, route.name);
    case run_later:
      co_return co_await call_later(request, route.name);
    case list:
      co_return tell_all();
    case inspect:
      co_return tell_one(route.name);
    case put:
      co_return co_await put_one(request, route.name);
    case remove:
      co_return co_await remove_one(route.name);
    case logs:
      co_return co_await tell_logs(route.name, route.query);
    case dead_letters:
      co_return co_await tell_dead_letters(route.name);
    case revive:
      co_return co_await revive_events(route.name);
    case forget_dead:
      co_return co_await forget_events(route.name);
    case wrong_method:
      co_return refuse_method(route.methods);
    case no_such_path:
      break;
  }
  co_return refuse_path();
}

asio::awaitable<HttpResponse> Api::call_as_lambda(HttpRequest& request, std::string_view name) {
  const std::string id = new_request_id();
  const std::string function = lambda_name(name);
  const auto kind = text_of(request["X-Amz-Invocation-Type"]);
  if (kind == "DryRun") {
    if (!parts_.pool.find(function)) co_return no_such_function(function, id);
    HttpResponse there{http::status::no_content, 11};
    there.set("x-amzn-RequestId", id);
    co_return there;
  }
  std::string event = request.body().empty() ? "{}" : std::move(request.body());
  if (kind == "Event") {
    if (!parts_.pool.find(function)) co_return no_such_function(function, id);
    const auto accepted = co_await parts_.events.accept(function, "http", std::move(event), id);
    co_return lambda_accepted(accepted, id);
  }
  if (!kind.empty() && kind != "RequestResponse")
    co_return lambda_error(http::status::bad_request, "InvalidParameterValueException", id,
                           "X-Amz-Invocation-Type: RequestResponse, Event or DryRun");
  CallRequest call{.function = function, .event = std::move(event), .id = id};
  const Outcome outcome = co_await parts_.dispatcher.call(std::move(call));
  co_return lambda_reply(outcome, id, request["X-Amz-Log-Type"] == "Tail");
}

asio::awaitable<HttpResponse> Api::call(HttpRequest& request, std::string_view name) {
  const std::string id = new_request_id();
  const std::string function{name};
  std::string event = "null";
  // Of a function that is not there nothing is to be made.
  if (parts_.pool.find(function)) event = co_await parts_.dispatcher.event_of(request.body());
  // As a text it is a little longer, or, of control characters, six times as long.
  constexpr std::size_t most_text = 2 * most_payload;
  if (event.size() > most_text)
    co_return error_reply({.code = Errc::exhausted,
                           .stage = Stage::validate,
                           .subject = "the body, which is no JSON, as a text in it",
                           .hint = fmt::format("it has at most {} bytes", most_text)});
  CallRequest call{.function = function, .event = std::move(event), .id = id};
  const Outcome outcome = co_await parts_.dispatcher.call(std::move(call));
  co_return plain_reply(outcome, id);
}

asio::awaitable<HttpResponse> Api::call_later(HttpRequest& request, std::string_view name) {
  const std::string id = new_request_id();
  const std::string function{name};
  if (!parts_.pool.find(function)) co_return unknown(function);
  std::string event = co_await parts_.dispatcher.event_of(request.body());
  const auto accepted = co_await parts_.events.accept(function, "http", std::move(event), id);
  co_return plain_accepted(accepted, id);
}

asio::awaitable<HttpResponse> Api::tell_dead_letters(const std::string& name) {
  constexpr std::size_t most = 100;
  const auto letters = co_await parts_.events.dead_letters(name, most);
  if (!letters.has_value()) co_return error_reply(letters.error());
  json all = json::array();
  for (const auto& letter : *letters) all.push_back(describe(letter));
  co_return json_reply(http::status::ok, all);
}

asio::awaitable<HttpResponse> Api::revive_events(const std::string& name) {
  if (!parts_.pool.find(name)) co_return unknown(name);
  const auto revived = co_await parts_.events.revive(name);
  if (!revived.has_value()) co_return error_reply(revived.error());
  co_return json_reply(http::status::ok, {{"revived", *revived}});
}

asio::awaitable<HttpResponse> Api::forget_events(const std::string& name) {
  const auto forgotten = co_await parts_.events.forget_dead(name);
  if (!forgotten.has_value()) co_return error_reply(forgotten.error());
  co_return json_reply(http::status::ok, {{"forgotten", name}});
}

asio::awaitable<HttpResponse> Api::put_one(HttpRequest& request, const std::string& name) {
  auto existing = Registrar::Existing::any;
  if (request[http::field::if_none_match] == "*") existing = Registrar::Existing::none;
  if (request[http::field::if_match] == "*") existing = Registrar::Existing::one;
  const auto put = co_await parts_.registrar.put(name, std::move(request.body()), existing);
  if (!put.has_value()) co_return error_reply(put.error());
  co_return tell_one(name);
}

asio::awaitable<HttpResponse> Api::remove_one(const std::string& name) {
  const auto removed = co_await parts_.registrar.remove(name);
  if (!removed.has_value()) co_return error_reply(removed.error());
  parts_.log.remove(name);
  co_await parts_.events.withdraw(name);
  co_await parts_.registrar.retire();
  co_return json_reply(http::status::ok, {{"removed", name}});
}

HttpResponse Api::tell_all() const {
  json all = json::array();
  for (const auto& state : parts_.pool.functions())
    all.push_back(describe_wholly(state, parts_.events.events_of(state.deployed->stored.name)));
  return json_reply(http::status::ok, all);
}

HttpResponse Api::tell_one(const std::string& name) const {
  for (const auto& state : parts_.pool.functions())
    if (state.deployed->stored.name == name)
      return json_reply(
          http::status::ok,
          describe_wholly(state, parts_.events.events_of(state.deployed->stored.name)));
  return error_reply({.code = Errc::not_found,
                      .subject = "function '" + sock::printable(name) + "'",
                      .hint = "there is none of this name"});
}

// "lines=N": the last ones. "after=POSITION": those since, as soon as there is one; POSITION is
// what the answer before this one has told.
asio::awaitable<HttpResponse> Api::tell_logs(std::string name, std::string query) {
  const bool is_name = check_function_name(name).has_value();
  // One that could not be served has a log too.
  if (!is_name || (!parts_.pool.find(name) && !parts_.log.exists(name))) co_return tell_one(name);
  std::size_t lines = 100;
  constexpr std::string_view count = "lines=";
  constexpr std::string_view after = "after=";
  if (query.starts_with(count)) {
    const char* const end = query.data() + query.size();
    if (std::from_chars(query.data() + count.size(), end, lines).ptr != end)
      co_return error_reply({.code = Errc::invalid_spec, .subject = "lines", .hint = "a number"});
  } else if (query.starts_with(after)) {
    lines = co_await parts_.followers.wait(name, query.substr(after.size()), follow_time);
  }
  // Nothing is written between these two.
  auto response =
      text_reply(http::status::ok, parts_.log.tail(name, std::min(lines, most_log_lines)));
  response.set("X-Sock-Log-Position", parts_.followers.position(name));
  response.set(http::field::content_type, "application/jsonl");
  co_return response;
}

HttpResponse Api::tell_status() const {
  const auto uptime = std::chrono::steady_clock::now() - since_;
  return json_reply(http::status::ok, describe({.pool = parts_.pool,
                                                .starter = parts_.starter,
                                                .events = parts_.events,
                                                .metrics = parts_.metrics},
                                               uptime));
}

HttpResponse Api::tell_metrics() const {
  Gauges gauges{.memory_promised = parts_.pool.memory_promised(),
                .memory_max = parts_.pool.memory_max(),
                .functions = {}};
  for (const auto& state : parts_.pool.functions())
    gauges.functions.push_back(
        {.name = state.deployed->stored.name,
         .home = state.home,
         .instances = state.instances,
         .idle = state.idle,
         .waiting = state.waiting,
         .events = parts_.events.events_of(state.deployed->stored.name).waiting});
  auto response = text_reply(http::status::ok, parts_.metrics.text(gauges));
  response.set(http::field::content_type, "text/plain; version=0.0.4");
  return response;
}

}  // namespace sockd
