#pragma once

// Counters and histograms, for Prometheus and for /status.

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "call.hpp"
#include "event.hpp"

namespace sockd {

struct Gauges {
  std::uint64_t memory_promised;
  std::uint64_t memory_max;
  struct OfFunction {
    std::string name;
    std::string home;  ///< Whose the instances are: several may have the same.
    std::size_t instances;
    std::size_t idle;
    std::size_t waiting;
    std::size_t events;  ///< That wait to be delivered.
  };
  std::vector<OfFunction> functions;
};

/// What became of all calls until now.
struct CallTotals {
  struct OfFunction {
    std::map<std::string, std::uint64_t> outcomes = {};  ///< Calls, by how they ended.
    std::chrono::nanoseconds median{};  ///< Of the last calls that were served; 0: there was none.
  };
  /// How many instances were there for their calls in which time.
  struct Starts {
    std::vector<std::uint64_t> counts;  ///< One for each bound, and one for what is above them.
    double seconds;                     ///< Of all together.
  };
  std::map<std::string, OfFunction> functions = {};  ///< "": of those that are not there.
  std::vector<double> bounds = {};                   ///< Seconds: of the buckets of `starts`.
  std::map<std::string, Starts> starts = {};         ///< By Outcome::path.
};

/// Thread-bound.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  void count(const CallRequest& request, const Outcome& outcome, std::chrono::nanoseconds elapsed);
  void count_answer(unsigned status);  ///< Of HTTP.
  void count_event(const std::string& function, EventFate fate);
  /// In Prometheus' text format.
  [[nodiscard]] std::string text(const Gauges& gauges) const;
  [[nodiscard]] CallTotals totals() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sockd
