// What follows from an attempt to deliver an event.

#include "sockd/event.hpp"

#include <gtest/gtest.h>

namespace sockd {
namespace {

using namespace std::chrono_literals;
using enum Verdict::Kind;

constexpr EventTime start{1'000'000s};
constexpr RetryPolicy policy{.retries = 2, .delay = 10s, .event_age = 1h};

Event event_after(unsigned attempts) {
  return {.id = "1",
          .function = "f",
          .source = "http",
          .text = {},
          .size = 2,
          .accepted = start,
          .due = start,
          .attempts = attempts};
}

TEST(EventVerdict, ASuccessIsTheEnd) {
  EXPECT_EQ(judge(event_after(1), 0, Outcome::Kind::result, policy, start, 0).kind, done);
}

TEST(EventVerdict, AFailureIsTriedAgainAndAtLastGivenUp) {
  for (const auto outcome : {Outcome::Kind::raised, Outcome::Kind::timed_out, Outcome::Kind::exited,
                             Outcome::Kind::out_of_memory, Outcome::Kind::bad_answer}) {
    const auto first = judge(event_after(0), 0, outcome, policy, start, 0);
    EXPECT_EQ(first.kind, again);
    EXPECT_EQ(first.attempts, 1U);
    EXPECT_EQ(first.due, start + 10s);
    EXPECT_EQ(judge(event_after(1), 0, outcome, policy, start, 0).due, start + 20s);
    const auto last = judge(event_after(2), 0, outcome, policy, start, 0);
    EXPECT_EQ(last.kind, dead);
    EXPECT_EQ(last.attempts, 3U);
  }
}

TEST(EventVerdict, WhatTheFunctionNeverSawDoesNotCount) {
  for (const auto outcome :
       {Outcome::Kind::overloaded, Outcome::Kind::function_busy, Outcome::Kind::closing,
        Outcome::Kind::not_started, Outcome::Kind::unknown_function}) {
    const auto verdict = judge(event_after(2), 0, outcome, policy, start, 0);
    EXPECT_EQ(verdict.kind, again);
    EXPECT_EQ(verdict.attempts, 2U);
    EXPECT_EQ(verdict.due, start + 1s);
    EXPECT_EQ(judge(event_after(2), 3, outcome, policy, start, 0).due, start + 8s);
    EXPECT_EQ(judge(event_after(2), 60, outcome, policy, start, 0).due, start + 5min);
  }
}

TEST(EventVerdict, AnEventGetsOld) {
  EXPECT_EQ(judge(event_after(0), 0, Outcome::Kind::overloaded, policy, start + 1h, 0).kind, dead);
  EXPECT_EQ(judge(event_after(0), 0, Outcome::Kind::raised, policy, start + 59min + 55s, 0).kind,
            dead)
      << "the next attempt would be too late";
  EXPECT_EQ(judge(event_after(0), 0, Outcome::Kind::bad_event, policy, start, 0).kind, dead);
}

TEST(EventVerdict, DelaysAreScatteredAndBounded) {
  const auto verdict = judge(event_after(0), 0, Outcome::Kind::raised, policy, start, 0.999);
  EXPECT_GT(verdict.due, start + 12s);
  EXPECT_LT(verdict.due, start + 12s + 500ms);
  const RetryPolicy patient{.retries = 90, .delay = 10min, .event_age = 10'000h};
  EXPECT_EQ(judge(event_after(80), 0, Outcome::Kind::raised, patient, start, 0).due, start + 1h);
  const RetryPolicy rare{.retries = 90, .delay = 3h, .event_age = 10'000h};
  EXPECT_EQ(judge(event_after(80), 0, Outcome::Kind::raised, rare, start, 0).due, start + 3h);
}

}  // namespace
}  // namespace sockd
