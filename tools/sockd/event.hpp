#pragma once

// An event that nobody waits for: accepted, kept on disk, delivered at least once. Values, and what
// follows from an attempt. Pure.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "call.hpp"

namespace sockd {

using EventTime = std::chrono::sys_time<std::chrono::milliseconds>;

struct Event {
  std::string id;
  std::string function;
  std::string source;  ///< "http", "schedule", "directory": who has made it.
  std::string text;    ///< JSON; empty where only `size` is known.
  std::uint64_t size;  ///< Of the text, bytes.
  EventTime accepted;
  EventTime due;
  unsigned attempts = 0;  ///< That count: the function has been called.
};

/// An event that was given up.
struct DeadLetter {
  Event event;
  EventTime died;
  std::string outcome;  ///< Of the last attempt.
  std::string error;
};

/// What became of one, for metrics.
enum class EventFate : std::uint8_t { accepted, delivered, postponed, dead };
std::string_view to_string(EventFate fate);

/// What a function may allow its events at most.
inline constexpr std::chrono::milliseconds most_event_age = std::chrono::days{14};

/// How often a function is called with the same event, and for how long.
struct RetryPolicy {
  unsigned retries = 2;                     ///< After the first attempt has failed.
  std::chrono::milliseconds delay{60'000};  ///< Before the first of them; doubled for each.
  std::chrono::milliseconds event_age{6 * 3'600'000};  ///< Then it is given up, whatever happened.
  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

struct Verdict {
  enum class Kind : std::uint8_t { done, again, dead } kind;
  EventTime due = {};     ///< Of `again`.
  unsigned attempts = 0;  ///< So far, of those that count.
};

/// After an attempt. One that the function never saw (no memory, no turn, a daemon that ends) does
/// not count, and is made again after 1 s, 2 s, 4 s, up to 5 minutes. `chance` is from [0, 1):
/// delays become up to a quarter longer by it, so that what has failed together does not come back
/// together.
Verdict judge(const Event& event, unsigned refusals, Outcome::Kind outcome,
              const RetryPolicy& policy, EventTime now, double chance);

}  // namespace sockd
