#pragma once

// A count in which old events weigh less: half after each half-life. The clock is the caller's.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

namespace sock::zygote {

class DecayingCount {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Seconds = std::chrono::duration<double>;

  explicit DecayingCount(Seconds half_life) noexcept : half_life_{half_life} {}

  void add(Time now, double events = 1) noexcept {
    value_ = at(now) + events;
    updated_ = std::max(updated_, now);
  }
  [[nodiscard]] double at(Time now) const noexcept {
    // Threads read the clock in one order and report in another.
    const Seconds age = std::max(Seconds{now - updated_}, Seconds{0});
    return value_ * std::exp2(-age / half_life_);
  }
  /// Events per second: a steady stream settles at rate * half_life / ln 2.
  [[nodiscard]] double rate(Time now) const noexcept {
    return at(now) * std::numbers::ln2 / half_life_.count();
  }

 private:
  Seconds half_life_;
  double value_ = 0;
  Time updated_ = {};
};

}  // namespace sock::zygote
