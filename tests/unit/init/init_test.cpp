// sock-init as a container sees it.

#include <cerrno>
#include <fstream>
#include <string>

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "contained.hpp"

namespace sock::testing {
namespace {

using Inside = Contained::Inside;

class Init : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Contained::possible()) GTEST_SKIP() << "needs a pid namespace: root or user namespaces";
  }
};

[[noreturn]] void hang() {
  for (;;) ::pause();
}

int await_signal(std::initializer_list<int> numbers) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : numbers) ::sigaddset(&set, number);
  int number;
  do number = ::sigwaitinfo(&set, nullptr);
  while (number < 0 && errno == EINTR);  // Stopping and continuing interrupts it.
  return number;
}

/// The state letter of a process, as /proc shows it.
char state_of(pid_t pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  return name_end == std::string::npos ? '?' : line[name_end + 2];
}

bool wait_state(pid_t pid, char state) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (state_of(pid) != state) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    ::sched_yield();
  }
  return true;
}

/// Leaves a process behind that holds the output and belongs to nobody.
void leave_daemon() {
  if (::fork() != 0) return;
  ::setsid();
  if (::fork() != 0) _exit(0);
  hang();
}

TEST_F(Init, ExitsWithThePayloadsCodeAndReportsIt) {
  Contained contained{[](const Inside&) { return 7; }};
  EXPECT_EQ(contained.wait(), 7);
  const auto report = contained.report();
  ASSERT_TRUE(report);
  EXPECT_TRUE(WIFEXITED(report->wait_status));
  EXPECT_EQ(WEXITSTATUS(report->wait_status), 7);
  EXPECT_EQ(report->timed_out, 0U);
}

TEST_F(Init, ReportsTheSignalThatKilledThePayload) {
  Contained contained{[](const Inside&) {
    ::kill(::getpid(), SIGKILL);
    return 0;
  }};
  EXPECT_EQ(contained.wait(), 128 + SIGKILL);
  const auto report = contained.report();
  ASSERT_TRUE(report);
  EXPECT_TRUE(WIFSIGNALED(report->wait_status));
  EXPECT_EQ(WTERMSIG(report->wait_status), SIGKILL);
  EXPECT_EQ(report->timed_out, 0U) << "it was killed, but not by its limit";
}

TEST_F(Init, KillsThePayloadAtItsTimeLimitAndSaysSo) {
  const auto start = std::chrono::steady_clock::now();
  Contained contained{[](const Inside&) -> int {
                        leave_daemon();
                        hang();
                      },
                      {.limit_ms = 50}};
  EXPECT_EQ(contained.wait(), 128 + SIGKILL);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds{50});
  const auto report = contained.report();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->timed_out, 1U);
  EXPECT_EQ(WTERMSIG(report->wait_status), SIGKILL);
  EXPECT_TRUE(contained.wait_output_end());
}

TEST_F(Init, KeepsItsTimeLimitWhileItIsFloodedWithSignals) {
  Contained contained{[](const Inside&) -> int {
                        for (;;) ::kill(1, SIGUSR1);
                      },
                      {.limit_ms = 50}};
  EXPECT_EQ(contained.wait(), 128 + SIGKILL);
  const auto report = contained.report();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->timed_out, 1U);
}

TEST_F(Init, DoesNotMentionALimitThatWasNotReached) {
  Contained contained{[](const Inside&) { return 0; }, {.limit_ms = 60'000}};
  EXPECT_EQ(contained.wait(), 0);
  const auto report = contained.report();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->timed_out, 0U);
}

TEST_F(Init, EndsEverythingWhenTheLifeLineCloses) {
  Contained contained{[](const Inside& inside) -> int {
    leave_daemon();
    inside.say_ready();
    hang();
  }};
  ASSERT_TRUE(contained.wait_ready());
  contained.close_life_line();
  EXPECT_EQ(contained.wait(), 128 + SIGKILL);
  EXPECT_FALSE(contained.report());
  EXPECT_TRUE(contained.wait_output_end());
}

TEST_F(Init, EndsDaemonsThatThePayloadLeftBehind) {
  Contained contained{[](const Inside&) {
    leave_daemon();
    leave_daemon();
    return 3;
  }};
  EXPECT_EQ(contained.wait(), 3);
  EXPECT_TRUE(contained.wait_output_end());
}

TEST_F(Init, KeepsNoEndOfThePayloadsOutputOpen) {
  Contained contained{[](const Inside& inside) -> int {
    ::close(inside.standard_out);
    inside.say_ready();
    hang();
  }};
  ASSERT_TRUE(contained.wait_ready());
  EXPECT_TRUE(contained.wait_output_end());
  EXPECT_TRUE(wait_state(contained.init(), 'S')) << "init waits on";
}

// The payload sees an orphan's reaping as ESRCH, and gets a hundred of them done.
TEST_F(Init, ReapsAHundredOrphans) {
  Contained contained{[](const Inside&) {
    pid_t orphans[100];
    for (pid_t& orphan : orphans) {
      int ends[2];
      if (::pipe(ends) < 0) return 1;
      const pid_t parent = ::fork();
      if (parent == 0) {
        const pid_t child = ::fork();
        if (child == 0) _exit(0);
        _exit(::write(ends[1], &child, sizeof child) == sizeof child ? 0 : 1);
      }
      if (::read(ends[0], &orphan, sizeof orphan) != sizeof orphan) return 2;
      ::waitpid(parent, nullptr, 0);
      ::close(ends[0]);
      ::close(ends[1]);
    }
    for (const pid_t orphan : orphans)
      while (::kill(orphan, 0) == 0) ::sched_yield();
    return 42;
  }};
  EXPECT_EQ(contained.wait(), 42);
}

TEST_F(Init, PassesSignalsFromOutsideToThePayload) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP,
                           SIGALRM, SIGRTMIN + 3}) {
    // Signals are blocked in the payload, so that none of them is lost or kills it.
    Contained contained{
        [number](const Inside&) { return await_signal({number}) == number ? 11 : 12; }};
    contained.signal(number);
    EXPECT_EQ(contained.wait(), 11) << "signal " << number;
  }
}

TEST_F(Init, PassesSignalsToThePayloadOnlyAndNotToItsChildren) {
  Contained contained{[](const Inside& inside) {
    const pid_t child = ::fork();
    if (child == 0) hang();
    inside.say_ready();
    await_signal({SIGTERM});
    return ::waitpid(child, nullptr, WNOHANG) == 0 ? 5 : 6;
  }};
  ASSERT_TRUE(contained.wait_ready());
  contained.signal(SIGTERM);
  EXPECT_EQ(contained.wait(), 5);
}

TEST_F(Init, KeepsSignalsFromInsideToItself) {
  Contained contained{[](const Inside& inside) {
    ::kill(1, SIGUSR1);  // Received before USR2, which has the higher number.
    inside.say_ready();
    await_signal({SIGUSR2});
    sigset_t pending;
    ::sigpending(&pending);
    return ::sigismember(&pending, SIGUSR1) == 0 ? 0 : 1;
  }};
  ASSERT_TRUE(contained.wait_ready());
  contained.signal(SIGUSR2);
  EXPECT_EQ(contained.wait(), 0);
}

TEST_F(Init, SurvivesWhatThePayloadSendsIt) {
  Contained contained{[](const Inside&) {
    for (int number = 1; number <= SIGRTMAX; ++number) ::kill(1, number);
    return 9;
  }};
  EXPECT_EQ(contained.wait(), 9);
  EXPECT_TRUE(contained.report());
}

TEST_F(Init, DoesNotTakeAStoppedPayloadForAnEndedOne) {
  Contained contained{[](const Inside& inside) {
    inside.say_ready();
    return await_signal({SIGUSR1}) == SIGUSR1 ? 4 : 5;
  }};
  ASSERT_TRUE(contained.wait_ready());
  const pid_t payload = contained.payload_from_outside();
  ASSERT_GT(payload, 0);
  ASSERT_EQ(::kill(payload, SIGSTOP), 0);
  ASSERT_TRUE(wait_state(payload, 'T'));
  ASSERT_TRUE(wait_state(contained.init(), 'S'));
  contained.signal(SIGUSR1);
  contained.signal(SIGCONT);
  EXPECT_EQ(contained.wait(), 4);
}

// /proc/PID/environ of an undumpable process belongs to root, whoever runs it.
TEST_F(Init, IsClosedToProcessesOfTheSameUser) {
  Contained contained{[](const Inside&) -> int { hang(); }};
  ASSERT_TRUE(wait_state(contained.init(), 'S'));
  std::ifstream comm{"/proc/" + std::to_string(contained.init()) + "/comm"};
  std::string name;
  comm >> name;
  EXPECT_EQ(name, "sock-init");
  if (::geteuid() == 0) GTEST_SKIP() << "the rest needs an ordinary user";
  const std::string environ = "/proc/" + std::to_string(contained.init()) + "/environ";
  EXPECT_NE(::access(environ.c_str(), R_OK), 0);
}

TEST_F(Init, OutlivesItsPayloadWhereItIsAskedTo) {
  Contained contained{[](const Inside&) { return 3; }, {.outlives_payload = true}};
  EXPECT_TRUE(contained.wait_output_end());  // The payload has ended.
  EXPECT_TRUE(wait_state(contained.init(), 'S'));
  contained.close_life_line();
  EXPECT_EQ(contained.wait(), 128 + SIGKILL);
  EXPECT_FALSE(contained.report());
}

TEST_F(Init, RefusesArgumentsThatMakeNoSense) {
  const std::vector<std::vector<std::string>> wrong{
      {"3"},
      {"3", "4", "2", "0"},
      {"3", "4", "2", "0", "0", "0"},
      {"3", "3", "2", "0", "0"},
      {"-3", "4", "2", "0", "0"},
      {"3", "4", "1", "0", "0"},
      {"3", "4", "2x", "0", "0"},
      {"3", "", "2", "0", "0"},
      {"3", "4", "99999999999999999999", "0", "0"},
      {"3", "4", "2", "9223372036854775807", "0"},
  };
  for (const auto& arguments : wrong) {
    Contained contained{[](const Inside&) -> int { hang(); }, {.arguments = arguments}};
    EXPECT_EQ(contained.wait(), 125) << ::testing::PrintToString(arguments);
  }
}

}  // namespace
}  // namespace sock::testing
