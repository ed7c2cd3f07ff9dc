#pragma once

// The stages of a launch that the Host itself goes through, timed.

#include <chrono>
#include <vector>

#include "sock/container.hpp"

#include "sys/clock.hpp"

namespace sock::container {

/// Books the time between marks on stages of the parent.
class StageClock {
 public:
  // All that a launch needs: nothing is allocated once the child runs, so nothing can fail then.
  StageClock() { timings_.reserve(static_cast<std::size_t>(Stage::exec) + 1); }
  void mark(Stage stage) {
    const std::int64_t now = sys::monotonic_nanoseconds();
    timings_.push_back({.stage = stage, .elapsed = std::chrono::nanoseconds{now - last_}});
    last_ = now;
  }
  /// Monotonic nanoseconds of the last mark.
  [[nodiscard]] std::int64_t marked() const noexcept { return last_; }
  std::vector<StageTiming> take() { return std::move(timings_); }

 private:
  std::int64_t last_ = sys::monotonic_nanoseconds();
  std::vector<StageTiming> timings_;
};

}  // namespace sock::container
