// Back-off, doubled each time.

#include "event.hpp"

#include <algorithm>

namespace sockd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_refusal{1'000};
constexpr milliseconds longest_delay = std::chrono::hours{1};
constexpr milliseconds longest_refusal = std::chrono::minutes{5};

milliseconds doubled(milliseconds delay, unsigned times, milliseconds most) {
  while (times-- > 0 && delay < most) delay *= 2;
  return std::min(delay, most);
}

milliseconds scattered(milliseconds delay, double chance) {
  return delay +
         milliseconds{static_cast<std::int64_t>(static_cast<double>(delay.count()) * chance / 4)};
}

/// Whether the function has seen the event.
bool was_called(Outcome::Kind outcome) {
  switch (outcome) {
    case Outcome::Kind::result:
    case Outcome::Kind::raised:
    case Outcome::Kind::timed_out:
    case Outcome::Kind::exited:
    case Outcome::Kind::out_of_memory:
    case Outcome::Kind::bad_answer:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string_view to_string(EventFate fate) {
  switch (fate) {
    case EventFate::accepted:
      return "accepted";
    case EventFate::delivered:
      return "delivered";
    case EventFate::postponed:
      return "postponed";
    case EventFate::dead:
      return "dead";
  }
  return "";
}

Verdict judge(const Event& event, unsigned refusals, Outcome::Kind outcome,
              const RetryPolicy& policy, EventTime now, double chance) {
  if (outcome == Outcome::Kind::result) return {.kind = Verdict::Kind::done};
  const bool counts = was_called(outcome);
  Verdict verdict{.kind = Verdict::Kind::dead, .attempts = event.attempts + (counts ? 1 : 0)};
  // It would be refused for ever.
  if (outcome == Outcome::Kind::bad_event) return verdict;
  if (counts && verdict.attempts > policy.retries) return verdict;
  const milliseconds delay =
      counts ? doubled(policy.delay, verdict.attempts - 1, std::max(policy.delay, longest_delay))
             : doubled(first_refusal, refusals, longest_refusal);
  verdict.due = now + scattered(delay, chance);
  if (verdict.due < event.accepted + policy.event_age) verdict.kind = Verdict::Kind::again;
  return verdict;
}

}  // namespace sockd
