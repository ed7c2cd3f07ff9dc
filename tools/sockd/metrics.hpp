#pragma once

// Counters and histograms for Prometheus.

#include <chrono>
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
    std::size_t instances;
    std::size_t idle;
    std::size_t waiting;
    std::size_t events;  ///< That wait to be delivered.
  };
  std::vector<OfFunction> functions;
};

/// Thread-bound.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  void count(const CallRequest& request, const Outcome& outcome, std::chrono::nanoseconds elapsed);
  void count_event(const std::string& function, EventFate fate);
  /// In Prometheus' text format.
  [[nodiscard]] std::string text(const Gauges& gauges) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sockd
