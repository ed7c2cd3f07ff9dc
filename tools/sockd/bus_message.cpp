// Every key is known, and has one type.

#include "bus_message.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace sockd {
namespace {

using nlohmann::json;
using Kind = BusRequest::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 5> kinds{{{"invoke", Kind::invoke},
                                                                  {"put", Kind::put},
                                                                  {"get", Kind::get},
                                                                  {"remove", Kind::remove},
                                                                  {"add", Kind::add}}};

std::unexpected<sock::Error> refuse(const char* why) {
  return sockctl::refuse(sock::Errc::invalid_spec, sock::Stage::validate, "the request", why);
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// Changes the value where the key is there; false: it has another type.
template <class T, class Is>
bool take(const json& object, const char* key, T& value, Is is) {
  const auto found = object.find(key);
  if (found == object.end()) return true;
  if (!((*found).*is)()) return false;
  value = found->template get<T>();
  return true;
}

/// One of 64 bits and a sign.
bool is_integer(const json& value) {
  return value.is_number_integer() &&
         !(value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX);
}

bool take_integer(const json& object, const char* key, std::int64_t& value) {
  const auto found = object.find(key);
  if (found == object.end()) return true;
  if (!is_integer(*found)) return false;
  value = found->get<std::int64_t>();
  return true;
}

}  // namespace

sock::Result<BusRequest> parse_bus_request(std::string_view text) {
  // What reads it takes a zero byte for its end.
  const json given = text.contains('\0') ? json{} : json::parse(text, nullptr, false);
  if (!given.is_object()) return refuse("it is no JSON object");
  std::string call;
  BusRequest request{.kind = Kind::invoke, .name = {}};
  std::int64_t ttl = request.time_to_live.count();
  if (!take(given, "call", call, &json::is_string) ||
      !take(given, "name", request.name, &json::is_string) ||
      !take(given, "event", request.event, &json::is_string) ||
      !take(given, "wait", request.waits, &json::is_boolean) ||
      !take_integer(given, "by", request.by) || !take_integer(given, "ttl_ms", ttl))
    return refuse("a value has another type");
  const auto* const kind = std::ranges::find(kinds, call, &decltype(kinds)::value_type::first);
  if (kind == kinds.end()) return refuse("there is no such call");
  request.kind = kind->second;
  request.time_to_live = std::chrono::milliseconds{ttl};
  return request;
}

std::string bus_result(std::string_view json_text) {
  return "{\"result\": " + std::string{json_text} + "}";
}

std::string bus_file() {
  return "{\"file\": true}";
}

std::string bus_error(std::string_view type, std::string_view message) {
  // The end of a long message is cut: it must fit.
  constexpr std::size_t most = 4096;
  return dump({{"error",
                {{"type", type}, {"message", message.substr(0, most)}, {"trace", json::array()}}}});
}

std::string bus_error(const sock::Error& error) {
  return bus_error(to_string(error.code), error.message());
}

std::string bus_error(const Outcome& outcome) {
  if (outcome.kind != Outcome::Kind::raised)
    return bus_error(to_string(outcome.kind), outcome.body);
  const std::string whole = "{\"error\": " + outcome.body + "}";
  if (whole.size() <= most_bus_message) return whole;
  const json raised = json::parse(outcome.body, nullptr, false);
  return bus_error(raised.value("type", "Error"), raised.value("message", ""));
}

}  // namespace sockd
