// Names of functions that are not there are not counted by name: anybody may make them up.

#include "metrics.hpp"

#include <algorithm>
#include <deque>
#include <set>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace sockd {
namespace {

const prometheus::Histogram::BucketBoundaries seconds{
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60};

// A paused instance is there sooner than the first bound above.
const prometheus::Histogram::BucketBoundaries start_bounds{
    0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02,
    0.05,    0.1,    0.2,    0.5,    1,     2,     5,     10};

constexpr std::size_t last_calls = 64;  // Of which the median is told.

double in_seconds(std::chrono::nanoseconds elapsed) {
  return std::chrono::duration<double>(elapsed).count();
}

/// Until an instance had the event, but for the wait for a turn: none for one that was warm.
double seconds_to_start(const Outcome& outcome) {
  std::chrono::nanoseconds sum{};
  for (const auto& stage : outcome.stages)
    if (stage.name == "start" || stage.name == "resume") sum += stage.elapsed;
  return in_seconds(sum);
}

std::string label(const prometheus::ClientMetric& metric, std::string_view name) {
  const auto found = std::ranges::find(metric.label, name, &prometheus::ClientMetric::Label::name);
  return found != metric.label.end() ? found->value : "";
}

std::chrono::nanoseconds median(std::deque<std::chrono::nanoseconds> times) {
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  return *middle;
}

CallTotals::Starts starts_of(const prometheus::ClientMetric::Histogram& histogram) {
  CallTotals::Starts starts{.counts = {}, .seconds = histogram.sample_sum};
  std::uint64_t below = 0;
  for (const auto& bucket : histogram.bucket) {
    starts.counts.push_back(bucket.cumulative_count - below);
    below = bucket.cumulative_count;
  }
  return starts;
}

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry{};
  prometheus::Family<prometheus::Counter>& calls =
      prometheus::BuildCounter()
          .Name("sockd_calls_total")
          .Help("Calls of functions, by how they ended and how they were served")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& answers =
      prometheus::BuildCounter()
          .Name("sockd_http_answers_total")
          .Help("Answers to HTTP requests, refusals included")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& events =
      prometheus::BuildCounter()
          .Name("sockd_events_total")
          .Help("Events that nobody waits for, by what became of them")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& call_seconds =
      prometheus::BuildHistogram()
          .Name("sockd_call_seconds")
          .Help("Time of a call from its request to its answer")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& stage_seconds =
      prometheus::BuildHistogram()
          .Name("sockd_stage_seconds")
          .Help("Time of each stage of a call")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& start_seconds =
      prometheus::BuildHistogram()
          .Name("sockd_start_seconds")
          .Help("Time in which an instance was there for a call whose turn it was")
          .Register(registry);
  std::map<std::string, std::deque<std::chrono::nanoseconds>> last = {};  ///< By function.
};

Metrics::Metrics() : impl_{std::make_unique<Impl>()} {}
Metrics::~Metrics() = default;

void Metrics::count(const CallRequest& request, const Outcome& outcome,
                    std::chrono::nanoseconds elapsed) {
  const bool is_known = outcome.kind != Outcome::Kind::unknown_function;
  impl_->calls
      .Add({{"function", is_known ? request.function : ""},
            {"outcome", std::string{to_string(outcome.kind)}},
            {"path", outcome.path}})
      .Increment();
  if (outcome.path.empty()) return;
  impl_->call_seconds.Add({{"function", request.function}, {"path", outcome.path}}, seconds)
      .Observe(in_seconds(elapsed));
  for (const auto& stage : outcome.stages)
    impl_->stage_seconds.Add({{"stage", stage.name}, {"path", outcome.path}}, seconds)
        .Observe(in_seconds(stage.elapsed));
  if (outcome.kind != Outcome::Kind::not_started)
    impl_->start_seconds.Add({{"path", outcome.path}}, start_bounds)
        .Observe(seconds_to_start(outcome));
  auto& last = impl_->last[request.function];
  last.push_back(elapsed);
  if (last.size() > last_calls) last.pop_front();
}

CallTotals Metrics::totals() const {
  CallTotals totals{.bounds = start_bounds};
  for (const auto& family : impl_->calls.Collect())
    for (const auto& metric : family.metric)
      totals.functions[label(metric, "function")].outcomes[label(metric, "outcome")] +=
          static_cast<std::uint64_t>(metric.counter.value);
  for (const auto& [function, times] : impl_->last)
    totals.functions[function].median = median(times);
  for (const auto& family : impl_->start_seconds.Collect())
    for (const auto& metric : family.metric)
      totals.starts.emplace(label(metric, "path"), starts_of(metric.histogram));
  return totals;
}

void Metrics::count_answer(unsigned status) {
  impl_->answers.Add({{"code", std::to_string(status)}}).Increment();
}

void Metrics::count_event(const std::string& function, EventFate fate) {
  impl_->events.Add({{"function", function}, {"fate", std::string{to_string(fate)}}}).Increment();
}

// What is now is asked for when somebody wants to know.
std::string Metrics::text(const Gauges& gauges) const {
  prometheus::Registry now;
  const auto set = [&](const char* name, const char* help,
                       const std::vector<std::pair<std::string, std::uint64_t>>& values) {
    auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(now);
    for (const auto& [function, value] : values) {
      const auto labels =
          function.empty() ? prometheus::Labels{} : prometheus::Labels{{"function", function}};
      family.Add(labels).Set(static_cast<double>(value));
    }
  };
  set("sockd_memory_promised_bytes", "Memory limits of all instances together",
      {{"", gauges.memory_promised}});
  set("sockd_memory_max_bytes", "What they may be at most", {{"", gauges.memory_max}});
  std::vector<std::pair<std::string, std::uint64_t>> instances;
  std::vector<std::pair<std::string, std::uint64_t>> idle;
  std::vector<std::pair<std::string, std::uint64_t>> waiting;
  std::vector<std::pair<std::string, std::uint64_t>> events;
  std::set<std::string> homes;
  for (const auto& function : gauges.functions) {
    if (homes.insert(function.home).second) {
      instances.emplace_back(function.home, function.instances);
      idle.emplace_back(function.home, function.idle);
    }
    waiting.emplace_back(function.name, function.waiting);
    events.emplace_back(function.name, function.events);
  }
  set("sockd_instances", "Containers of a function, or of those that share them", instances);
  set("sockd_idle_instances", "Of these, those that are paused", idle);
  set("sockd_waiting_calls", "Calls that wait for an instance", waiting);
  set("sockd_waiting_events", "Events that wait to be delivered", events);
  auto families = impl_->registry.Collect();
  for (auto& family : now.Collect()) families.push_back(std::move(family));
  return prometheus::TextSerializer{}.Serialize(families);
}

}  // namespace sockd
