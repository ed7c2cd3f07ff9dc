// Units are in the keys, or bytes.

#include "status.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "application_sandbox.hpp"
#include "json_values.hpp"

namespace sockd {
namespace {

using nlohmann::json;

std::string time_text(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

json names_of(const std::vector<sock::Package>& packages) {
  json names = json::array();
  for (const auto& package : packages) names.push_back(package.to_string());
  return names;
}

json describe(const std::vector<Schedule>& schedules) {
  json all = json::array();
  for (const auto& schedule : schedules)
    all.push_back({{"cron", schedule.cron}, {"event", schedule.event}});
  return all;
}

json describe(const std::vector<WatchedDirectory>& directories) {
  json all = json::array();
  for (const auto& directory : directories)
    all.push_back({{"path", directory.path}, {"at", directory.at}});
  return all;
}

/// A node that went between the two looks at the cache has a parent no more.
json describe(const sock::CachedZygote& zygote, const sock::ImportTree& tree) {
  json told = sockctl::to_json(zygote);
  told["parent"] = nullptr;
  told["packages"] = json::array();
  const auto id = tree.find(zygote.name);
  if (!id) return told;
  const auto& node = *tree.find(*id);
  told["packages"] = names_of(node.packages);
  if (node.parent) told["parent"] = tree.find(*node.parent)->name;
  return told;
}

json describe(const Realm& realm) {
  const auto tree = realm.tree();
  json nodes = json::array();
  for (const auto& zygote : realm.zygotes()) nodes.push_back(describe(zygote, tree));
  return {{"name", realm.spec().name},
          {"application", realm.spec().application},
          {"zygotes", std::move(nodes)}};
}

json describe_starts(const CallTotals& totals) {
  json paths = json::object();
  for (const auto& [path, starts] : totals.starts)
    paths[path] = {{"counts", starts.counts}, {"sum_seconds", starts.seconds}};
  return {{"bounds_seconds", totals.bounds}, {"paths", std::move(paths)}};
}

/// Of all functions, those that are gone and those that never were included.
json all_outcomes(const CallTotals& totals) {
  std::map<std::string, std::uint64_t> all;
  for (const auto& [function, of] : totals.functions)
    for (const auto& [outcome, calls] : of.outcomes) all[outcome] += calls;
  return all;
}

json describe(const FunctionState& state, const EventsOfFunction& events,
              const CallTotals& totals) {
  json told = describe(state, events);
  told["calls"] = json::object();
  told["median_ms"] = nullptr;
  const auto found = totals.functions.find(state.deployed->stored.name);
  if (found == totals.functions.end()) return told;
  told["calls"] = found->second.outcomes;
  if (found->second.median.count() > 0)
    told["median_ms"] = std::chrono::duration<double, std::milli>(found->second.median).count();
  return told;
}

}  // namespace

json describe(const FunctionState& state, const EventsOfFunction& events) {
  const auto& stored = state.deployed->stored;
  const bool is_fresh = stored.spec.instances == FunctionSpec::Instances::fresh;
  return {{"name", stored.name},
          {"version", stored.version},
          {"runtime", to_string(stored.spec.runtime)},
          {"handler", stored.spec.handler},
          {"packages", names_of(state.deployed->declared)},
          {"memory", stored.spec.memory},
          {"timeout_ms", stored.spec.timeout.count()},
          {"concurrency", stored.spec.concurrency},
          {"instances", is_fresh ? "fresh" : "reused"},
          {"application", stored.spec.application},
          {"sandbox", shares_sandbox(*state.deployed) ? "application" : "own"},
          {"retries", stored.spec.events.retries},
          {"retry_delay_ms", stored.spec.events.delay.count()},
          {"event_age_ms", stored.spec.events.event_age.count()},
          {"updated", time_text(stored.updated)},
          {"now",
           {{"instances", state.instances},
            {"idle", state.idle},
            {"paused", state.paused},
            {"waiting", state.waiting},
            {"events_waiting", events.waiting},
            {"events_under_way", events.under_way}}}};
}

json describe_wholly(const FunctionState& state, const EventsOfFunction& events) {
  const auto& spec = state.deployed->stored.spec;
  json whole = describe(state, events);
  whole["schedules"] = describe(spec.schedules);
  whole["directories"] = describe(spec.directories);
  return whole;
}

json describe(const DeadLetter& letter) {
  return {{"request_id", letter.event.id},  {"source", letter.event.source},
          {"bytes", letter.event.size},     {"accepted", time_text(letter.event.accepted)},
          {"died", time_text(letter.died)}, {"attempts", letter.event.attempts},
          {"outcome", letter.outcome},      {"error", letter.error}};
}

json describe(const StatusParts& parts, std::chrono::duration<double> uptime) {
  const CallTotals totals = parts.metrics.totals();
  json functions = json::array();
  for (const auto& state : parts.pool.functions())
    functions.push_back(
        describe(state, parts.events.events_of(state.deployed->stored.name), totals));
  json realms = json::array();
  for (const auto& realm : parts.starter.realms()) realms.push_back(describe(*realm));
  return {
      {"version", SOCKD_VERSION},
      {"uptime_seconds", uptime.count()},
      {"functions", std::move(functions)},
      {"import_caches", std::move(realms)},
      {"calls", all_outcomes(totals)},
      {"starts", describe_starts(totals)},
      {"memory", {{"promised", parts.pool.memory_promised()}, {"max", parts.pool.memory_max()}}}};
}

}  // namespace sockd
