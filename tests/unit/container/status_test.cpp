// From witnesses to an exit status: every combination that can be seen.

#include "container/status.hpp"

#include <csignal>
#include <string>

#include <gtest/gtest.h>

namespace sock::container {
namespace {

using Kind = ExitStatus::Kind;

// As wait4() encodes them.
constexpr std::int32_t exited(int code) {
  return code << 8;
}
constexpr std::int32_t killed_by(int signal) {
  return signal;
}
constexpr std::int32_t core_dumped = 0x80;

constexpr init::Report report(std::int32_t wait_status, std::uint32_t timed_out = 0) {
  return {.magic = init::report_magic, .wait_status = wait_status, .timed_out = timed_out};
}
constexpr sys::WaitStatus code(int value) {
  return {.signaled = false, .value = value};
}
constexpr sys::WaitStatus signal(int value) {
  return {.signaled = true, .value = value};
}

struct Case {
  const char* name;
  Witnesses seen;
  ExitStatus status;
  bool counts_oom_kills;  ///< may_be_oom()
};

const Case cases[] = {
    // Without an init, or before it could report.
    {"Exit", {.reaped = code(0)}, {Kind::exited, 0}, false},
    {"ExitCode", {.reaped = code(3)}, {Kind::exited, 3}, false},
    {"Signal", {.reaped = signal(SIGSEGV)}, {Kind::signaled, SIGSEGV}, false},
    {"Kill", {.reaped = signal(SIGKILL)}, {Kind::signaled, SIGKILL}, true},
    {"OomKill", {.reaped = signal(SIGKILL), .oom_kills = 1}, {Kind::oom_killed, SIGKILL}, true},
    // The OOM killer took another process, and this one went on.
    {"ExitBesideOomKill", {.reaped = code(1), .oom_kills = 1}, {Kind::exited, 1}, false},
    {"SignalBesideOomKill",
     {.reaped = signal(SIGTERM), .oom_kills = 1},
     {Kind::signaled, SIGTERM},
     false},
    {"TimeLimit", {.reaped = signal(SIGKILL), .timed_out = true}, {Kind::timed_out, SIGKILL}, true},
    // We killed it: that it was also out of memory is not why it ended.
    {"TimeLimitBeforeOomKill",
     {.reaped = signal(SIGKILL), .oom_kills = 1, .timed_out = true},
     {Kind::timed_out, SIGKILL},
     true},
    // It ended by itself before our signal came.
    {"ExitAtTheTimeLimit", {.reaped = code(0), .timed_out = true}, {Kind::exited, 0}, false},
    {"ReapedByTheEmbedder", {}, {Kind::lost, 0}, false},
    {"ReapedByTheEmbedderAfterTheTimeLimit", {.timed_out = true}, {Kind::lost, 0}, false},

    // What init reports counts, and not its own exit code.
    {"InitExit", {.init = report(exited(0)), .reaped = code(0)}, {Kind::exited, 0}, false},
    {"InitExitCode137",
     {.init = report(exited(137)), .reaped = code(137)},
     {Kind::exited, 137},
     false},
    {"InitSignal",
     {.init = report(killed_by(SIGABRT)), .reaped = code(128 + SIGABRT)},
     {Kind::signaled, SIGABRT},
     false},
    {"InitSignalWithCore",
     {.init = report(killed_by(SIGSEGV) | core_dumped), .reaped = code(128 + SIGSEGV)},
     {Kind::signaled, SIGSEGV},
     false},
    {"InitKill",
     {.init = report(killed_by(SIGKILL)), .reaped = code(137)},
     {Kind::signaled, SIGKILL},
     true},
    {"InitOomKill",
     {.init = report(killed_by(SIGKILL)), .reaped = code(137), .oom_kills = 2},
     {Kind::oom_killed, SIGKILL},
     true},
    {"InitTimeLimit",
     {.init = report(killed_by(SIGKILL), 1), .reaped = code(137)},
     {Kind::timed_out, SIGKILL},
     true},
    {"InitTimeLimitBeforeOomKill",
     {.init = report(killed_by(SIGKILL), 1), .reaped = code(137), .oom_kills = 1},
     {Kind::timed_out, SIGKILL},
     true},
    {"InitReapedByTheEmbedder", {.init = report(exited(5))}, {Kind::exited, 5}, false},
    // Killed with its container before the payload's end was known.
    {"InitKilled", {.reaped = signal(SIGKILL)}, {Kind::signaled, SIGKILL}, true},
    // Everything was killed after the payload's own end.
    {"InitKilledAfterItsReport",
     {.init = report(exited(4)), .reaped = signal(SIGKILL), .oom_kills = 1},
     {Kind::exited, 4},
     false},
};

class Status : public ::testing::TestWithParam<Case> {};

TEST_P(Status, FollowsFromTheWitnesses) {
  const ExitStatus status = decide_status(GetParam().seen);
  EXPECT_EQ(to_string(status.kind), to_string(GetParam().status.kind));
  EXPECT_EQ(status.value, GetParam().status.value);
}

// Counting costs a read, so it must be asked for exactly where the answer can depend on it.
TEST_P(Status, AsksForOomKillsWhereTheyMatter) {
  EXPECT_EQ(may_be_oom(GetParam().seen), GetParam().counts_oom_kills);
  if (GetParam().counts_oom_kills) return;
  Witnesses more = GetParam().seen;
  more.oom_kills += 1;
  EXPECT_EQ(decide_status(more), GetParam().status);
}

INSTANTIATE_TEST_SUITE_P(All, Status, ::testing::ValuesIn(cases),
                         [](const auto& test) { return std::string{test.param.name}; });

TEST(ExitStatusNames, AreTheEnumeratorsOwn) {
  EXPECT_EQ(to_string(Kind::exited), "exited");
  EXPECT_EQ(to_string(Kind::signaled), "signaled");
  EXPECT_EQ(to_string(Kind::oom_killed), "oom_killed");
  EXPECT_EQ(to_string(Kind::timed_out), "timed_out");
  EXPECT_EQ(to_string(Kind::lost), "lost");
}

TEST(ExitStatusOk, IsAnExitWithZeroAndNothingElse) {
  EXPECT_TRUE((ExitStatus{Kind::exited, 0}.ok()));
  EXPECT_FALSE((ExitStatus{Kind::exited, 1}.ok()));
  EXPECT_FALSE((ExitStatus{Kind::lost, 0}.ok()));
}

}  // namespace
}  // namespace sock::container
