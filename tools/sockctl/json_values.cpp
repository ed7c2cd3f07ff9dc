// The library's values as JSON.

#include "json_values.hpp"

#include <type_traits>

#include <nlohmann/json.hpp>

#include "report.hpp"

namespace sockctl {
namespace {

template <class T>
void set(nlohmann::json& out, const char* name, const std::optional<T>& value) {
  if (!value) return;
  if constexpr (std::is_integral_v<T>) {
    out[name] = *value;
  } else {
    out[name] = value->count();
  }
}

// The enumerator of that name, up to `last`; `fallback` for a name that is not known.
template <class E>
E enumerator(const std::string& name, E last, E fallback) {
  for (int i = 0; i <= static_cast<int>(last); ++i)
    if (sock::to_string(static_cast<E>(i)) == name) return static_cast<E>(i);
  return fallback;
}

template <class T>
T member(const nlohmann::json& json, const char* name, T fallback) {
  try {
    return json.value(name, fallback);
  } catch (const nlohmann::json::exception&) {
    return fallback;
  }
}

}  // namespace

nlohmann::json to_json(const sock::ExitStatus& status) {
  return {
      {"kind", sock::to_string(status.kind)}, {"value", status.value}, {"code", exit_code(status)}};
}

sock::ExitStatus exit_status_from_json(const nlohmann::json& json) {
  using Kind = sock::ExitStatus::Kind;
  return {.kind = enumerator(member(json, "kind", std::string{}), Kind::lost, Kind::lost),
          .value = member(json, "value", 0)};
}

nlohmann::json to_json(const sock::CachedZygote& zygote) {
  return {{"name", zygote.name},      {"replicas", zygote.replicas},
          {"hits", zygote.hits},      {"misses", zygote.misses},
          {"forks", zygote.forks},    {"import_ms", zygote.import_time.count()},
          {"memory", zygote.memory},  {"stored", zygote.stored},
          {"failure", zygote.failure}};
}

nlohmann::json to_json(const sock::Stats& stats) {
  nlohmann::json out = nlohmann::json::object();
  set(out, "memory_current", stats.memory_current);
  set(out, "memory_peak", stats.memory_peak);
  set(out, "oom_kills", stats.oom_kills);
  set(out, "cpu_total_ns", stats.cpu_total);
  set(out, "cpu_user_ns", stats.cpu_user);
  set(out, "cpu_system_ns", stats.cpu_system);
  set(out, "cpu_throttled_ns", stats.cpu_throttled);
  set(out, "pids_current", stats.pids_current);
  return out;
}

nlohmann::json to_json(const Error& error) {
  return {{"code", sock::to_string(error.code)},
          {"stage", sock::to_string(error.stage)},
          {"sys_errno", error.sys_errno},
          {"subject", error.subject},
          {"hint", error.hint},
          {"message", describe(error)}};
}

Error error_from_json(const nlohmann::json& json) {
  return {.code = enumerator(member(json, "code", std::string{}), Errc::io, Errc::io),
          .stage = enumerator(member(json, "stage", std::string{}), Stage::stats, Stage::none),
          .sys_errno = member(json, "sys_errno", 0),
          .subject = member(json, "subject", std::string{}),
          .hint = member(json, "hint", std::string{})};
}

nlohmann::json to_json(std::span<const sock::StageTiming> timings) {
  nlohmann::json out = nlohmann::json::array();
  for (const auto& timing : timings)
    out.push_back({{"stage", sock::to_string(timing.stage)}, {"ns", timing.elapsed.count()}});
  return out;
}

std::vector<sock::StageTiming> timings_from_json(const nlohmann::json& json) {
  std::vector<sock::StageTiming> timings;
  for (const auto& item : json)
    timings.push_back(
        {.stage = enumerator(member(item, "stage", std::string{}), Stage::stats, Stage::none),
         .elapsed = std::chrono::nanoseconds{member(item, "ns", std::int64_t{0})}});
  return timings;
}

const char* outcome_name(sock::Check::Outcome outcome) {
  using Outcome = sock::Check::Outcome;
  switch (outcome) {
    case Outcome::ok:
      return "ok";
    case Outcome::degraded:
      return "degraded";
    case Outcome::failed:
      break;
  }
  return "failed";
}

std::string line_of(const nlohmann::json& value) {
  return value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

nlohmann::json parse_json(const std::string& text) {
  // Copies and comparisons of a value recurse.
  constexpr int most_depth = 32;
  bool too_deep = false;
  const auto within_depth = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    too_deep = too_deep || depth > most_depth;
    return !too_deep;
  };
  auto json = nlohmann::json::parse(text, within_depth, /*allow_exceptions=*/false);
  return json.is_discarded() || too_deep ? nlohmann::json{} : json;
}

}  // namespace sockctl
