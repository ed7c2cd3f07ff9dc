#pragma once

// How long we wait for somebody at the other end of a connection, who may hang, or send a byte now
// and then for ever.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>

namespace sockd {

/// It ends when no byte has passed for two seconds, and in any case after two seconds and the time
/// that what has passed takes at 8 MiB a second. Thread-safe: one passes bytes, others look.
class Patience {
 public:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;

  static constexpr std::chrono::seconds pause{2};
  static constexpr std::size_t bytes_a_second = 8U << 20U;

  explicit Patience(Time start) noexcept : start_{start}, end_{start + pause} {}

  /// So many bytes were sent or received.
  void passed(std::size_t bytes, Time now) noexcept {
    bytes_ += bytes;
    const std::chrono::milliseconds allowance{bytes_ * 1000 / bytes_a_second};
    end_ = std::min(now + pause, start_ + pause + allowance);
  }
  [[nodiscard]] Time end() const noexcept { return end_; }

 private:
  const Time start_;
  std::size_t bytes_ = 0;
  std::atomic<Time> end_;
};

}  // namespace sockd
