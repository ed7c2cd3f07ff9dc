// Paths, rights, and what is told of functions.

#include "api.hpp"

#include <algorithm>
#include <charconv>
#include <ranges>

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

struct Target {
  std::vector<std::string> path;
  std::string query;
};

// Names have no letters that are escaped in URLs, so nothing is unescaped; but see lambda_name().
Target target_of(const http::request_header<>& header) {
  const std::string_view whole = text_of(header.target());
  const auto mark = std::min(whole.find('?'), whole.size());
  Target target{.path = {}, .query = std::string{whole.substr(std::min(mark + 1, whole.size()))}};
  for (const auto part : std::views::split(whole.substr(0, mark), '/'))
    if (!part.empty()) target.path.emplace_back(part.begin(), part.end());
  return target;
}

bool is_invoke(const std::vector<std::string>& path) {
  return path.size() == 4 && path[0] == "2015-03-31" && path[1] == "functions" &&
         path[3] == "invocations";
}

/// Whether nobody waits for what becomes of it.
bool is_event(const http::request_header<>& header) {
  const auto path = target_of(header).path;
  return (is_invoke(path) && header["X-Amz-Invocation-Type"] == "Event") ||
         (!path.empty() && path.front() == "async-function");
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

HttpResponse no_such_path() {
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

HttpResponse wrong_method(const char* methods) {
  auto response = json_reply(
      http::status::method_not_allowed,
      {{"error", {{"code", "invalid_spec"}, {"message", fmt::format("use {}", methods)}}}});
  response.set(http::field::allow, methods);
  return response;
}

}  // namespace

Api::Rights Api::rights_of(const http::request_header<>& header, Peer peer) const {
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
  if (header.method() == http::verb::put && rights == Rights::everything) return most_archive;
  return is_event(header) ? most_event : most_payload;
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
  if (is_invoke(target_of(header).path))
    return lambda_error(
        http::status::payload_too_large, "RequestTooLargeException", new_request_id(),
        fmt::format("Request must be smaller than {} bytes for the InvokeFunction operation",
                    most));
  return error_reply({.code = Errc::exhausted,
                      .stage = Stage::validate,
                      .subject = "the body",
                      .hint = fmt::format("it has at most {} bytes", most)});
}

asio::awaitable<HttpResponse> Api::handle(HttpRequest request, Peer peer) {
  const Rights rights = rights_of(request.base(), peer);
  co_return co_await route(std::move(request), rights);
}

asio::awaitable<HttpResponse> Api::route(HttpRequest request, Rights rights) {
  const auto [path, query] = target_of(request.base());
  const std::string first = path.empty() ? "" : path.front();
  const bool is_get = request.method() == http::verb::get || request.method() == http::verb::head;
  if (first == "healthz" && path.size() == 1) co_return text_reply(http::status::ok, "ok\n");
  const bool is_strange = rights == Rights::none && token_.empty();
  // It has nothing but what everybody may read in the source: it asks for the token itself.
  if (path.empty() && !is_strange) co_return is_get ? status_page() : wrong_method("GET");
  if (rights == Rights::none) co_return denial();
  const bool is_status = path.size() == 1 && (first == "metrics" || first == "status");
  if (is_status && !is_get) co_return wrong_method("GET");
  if (is_status) co_return first == "metrics" ? metrics() : status();
  const bool is_run = path.size() == 2 && (first == "run" || first == "function");
  const bool is_run_later = path.size() == 2 && first == "async-function";
  if ((is_invoke(path) || is_run || is_run_later) && request.method() != http::verb::post)
    co_return wrong_method("POST");
  if (is_invoke(path)) co_return co_await invoke(request, path[2]);
  if (is_run) co_return co_await run(request, path[1]);
  if (is_run_later) co_return co_await run_later(request, path[1]);
  const bool is_managing = path.size() >= 2 && first == "api" && path[1] == "functions";
  if (!is_managing) co_return no_such_path();
  if (rights != Rights::everything)
    co_return error_reply({.code = Errc::denied,
                           .subject = "functions",
                           .hint = "use the control socket, or set token_file"});
  if (is_get && path.size() == 2) co_return list();
  if (is_get && path.size() == 3) co_return inspect(path[2]);
  if (is_get && path.size() == 4 && path[3] == "logs") co_return co_await logs(path[2], query);
  if (path.size() == 4 && path[3] == "dead-letters")
    co_return co_await dead_letters(request, path[2]);
  co_return co_await manage(std::move(request), path);
}

asio::awaitable<HttpResponse> Api::invoke(HttpRequest& request, std::string_view name) {
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

asio::awaitable<HttpResponse> Api::run(HttpRequest& request, std::string_view name) {
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

asio::awaitable<HttpResponse> Api::run_later(HttpRequest& request, std::string_view name) {
  const std::string id = new_request_id();
  const std::string function{name};
  if (!parts_.pool.find(function)) co_return unknown(function);
  std::string event = co_await parts_.dispatcher.event_of(request.body());
  const auto accepted = co_await parts_.events.accept(function, "http", std::move(event), id);
  co_return plain_accepted(accepted, id);
}

asio::awaitable<HttpResponse> Api::dead_letters(const HttpRequest& request,
                                                const std::string& name) {
  constexpr std::size_t most = 100;
  if (request.method() == http::verb::get) {
    const auto letters = co_await parts_.events.dead_letters(name, most);
    if (!letters.has_value()) co_return error_reply(letters.error());
    json all = json::array();
    for (const auto& letter : *letters) all.push_back(describe(letter));
    co_return json_reply(http::status::ok, all);
  }
  if (request.method() == http::verb::post) {
    if (!parts_.pool.find(name)) co_return unknown(name);
    const auto revived = co_await parts_.events.revive(name);
    if (!revived.has_value()) co_return error_reply(revived.error());
    co_return json_reply(http::status::ok, {{"revived", *revived}});
  }
  if (request.method() != http::verb::delete_) co_return wrong_method("GET, POST, DELETE");
  const auto forgotten = co_await parts_.events.forget_dead(name);
  if (!forgotten.has_value()) co_return error_reply(forgotten.error());
  co_return json_reply(http::status::ok, {{"forgotten", name}});
}

asio::awaitable<HttpResponse> Api::manage(HttpRequest request, std::vector<std::string> path) {
  if (path.size() != 3) co_return no_such_path();
  const std::string name = path[2];
  if (request.method() == http::verb::put) {
    auto existing = Registrar::Existing::any;
    if (request[http::field::if_none_match] == "*") existing = Registrar::Existing::none;
    if (request[http::field::if_match] == "*") existing = Registrar::Existing::one;
    const auto put = co_await parts_.registrar.put(name, std::move(request.body()), existing);
    if (!put.has_value()) co_return error_reply(put.error());
    co_return inspect(name);
  }
  if (request.method() != http::verb::delete_) co_return wrong_method("GET, PUT, DELETE");
  const auto removed = co_await parts_.registrar.remove(name);
  if (!removed.has_value()) co_return error_reply(removed.error());
  parts_.log.remove(name);
  co_await parts_.events.withdraw(name);
  co_await parts_.registrar.retire();
  co_return json_reply(http::status::ok, {{"removed", name}});
}

HttpResponse Api::list() const {
  json all = json::array();
  for (const auto& state : parts_.pool.functions())
    all.push_back(describe_wholly(state, parts_.events.events_of(state.deployed->stored.name)));
  return json_reply(http::status::ok, all);
}

HttpResponse Api::inspect(const std::string& name) const {
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
asio::awaitable<HttpResponse> Api::logs(std::string name, std::string query) {
  const bool is_name = check_function_name(name).has_value();
  // One that could not be served has a log too.
  if (!is_name || (!parts_.pool.find(name) && !parts_.log.exists(name))) co_return inspect(name);
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

HttpResponse Api::status() const {
  const auto uptime = std::chrono::steady_clock::now() - since_;
  return json_reply(http::status::ok, describe({.pool = parts_.pool,
                                                .starter = parts_.starter,
                                                .events = parts_.events,
                                                .metrics = parts_.metrics},
                                               uptime));
}

HttpResponse Api::metrics() const {
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
