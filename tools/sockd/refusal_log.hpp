#pragma once

// Lines about requests that were refused before it was their turn: most of them are in no
// function's log, and strangers may send any number of them.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace sockd {

/// Thread-bound.
class RefusalLog {
 public:
  using Clock = std::chrono::steady_clock;

  struct Refusal {
    unsigned status;
    std::string_view request;  ///< Method and target, as they came.
    std::string_view why;      ///< Only its first line is told.
  };
  /// What is to be printed now: a line, and how many were left out before it. Empty when there have
  /// been enough in this second.
  std::string note(const Refusal& refusal, Clock::time_point now);
  /// The same, where nothing was refused for a while: how many were left out.
  std::string rest(Clock::time_point now);

 private:
  Clock::time_point since_ = {};
  std::uint64_t told_ = 0;  ///< Since then.
  std::uint64_t left_out_ = 0;
};

}  // namespace sockd
