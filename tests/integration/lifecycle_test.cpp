// Waiting, pausing, signalling and killing.

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host_fixture.hpp"

namespace sock::test {
namespace {

using namespace std::chrono_literals;
using Lifecycle = HostTest;

TEST_F(Lifecycle, GivesNothingWhileThePayloadRuns) {
  auto container = host().create(shell("cat"));  // Ends at once: stdin is empty.
  ASSERT_TRUE(container.has_value()) << container.error().message();
  TestPipe in_pipe = make_pipe();
  ContainerSpec spec = shell("cat");
  spec.name = "reader";
  spec.stdio.in = in_pipe.reader;
  auto reader = host().create(spec);
  ASSERT_TRUE(reader.has_value()) << reader.error().message();
  const auto early = reader->wait_until(in(50ms));
  ASSERT_TRUE(early.has_value());
  EXPECT_FALSE(early->has_value());
  in_pipe.reader.reset();
  in_pipe.writer.reset();
  EXPECT_EQ(reader->wait()->value, 0);
}

TEST_F(Lifecycle, DoesNotWaitForADeadlineAtTheBeginningOfTime) {
  auto container = host().create(shell("exec sleep 60"));
  ASSERT_TRUE(container.has_value()) << container.error().message();
  const auto early = container->wait_until(std::chrono::steady_clock::time_point::min());
  ASSERT_TRUE(early.has_value()) << early.error().message();
  EXPECT_FALSE(early->has_value());
}

TEST_F(Lifecycle, KillsAPayloadThatIgnoresEverySignal) {
  ContainerSpec spec = shell(
      "trap '' TERM INT HUP; (trap '' TERM; while :; do :; done) & echo up; while :; do :; done");
  TestPipe out = make_pipe();
  spec.stdio.out = out.writer;
  auto container = host().create(spec);
  out.writer.reset();
  ASSERT_TRUE(container.has_value()) << container.error().message();
  ASSERT_EQ(read_until(out.reader, "up"), "up");
  ASSERT_TRUE(container->kill().has_value());
  EXPECT_EQ(*container->wait(), (ExitStatus{ExitStatus::Kind::signaled, SIGKILL}));
  EXPECT_EQ(drain(out.reader), "\n");  // End of file: no writer is left.
  EXPECT_TRUE(container->kill().has_value());
}

// As a child holds them that the embedding program has forked and that does not exec.
TEST_F(Lifecycle, KnowsTheEndOfAnInitWhosePipesAreHeldElsewhereToo) {
  if (is_rootless()) GTEST_SKIP() << "copying descriptors of an init needs root";
  auto container = host().create(shell("exec sleep 60"));
  ASSERT_TRUE(container.has_value()) << container.error().message();
  std::vector<UniqueFd> copies;
  constexpr int most_fds = 64;
  for (int fd = 3; fd < most_fds; ++fd)
    if (UniqueFd copy{
            static_cast<int>(::syscall(SYS_pidfd_getfd, container->pidfd().get(), fd, 0))})
      copies.push_back(std::move(copy));
  ASSERT_FALSE(copies.empty());
  ASSERT_TRUE(container->kill().has_value());
  const auto status = container->wait_until(in(10s));
  ASSERT_TRUE(status.has_value()) << status.error().message();
  ASSERT_TRUE(status->has_value());
  EXPECT_EQ((*status)->kind, ExitStatus::Kind::signaled);
}

TEST_F(Lifecycle, ForwardsASignalThroughTheInit) {
  ContainerSpec spec = shell("trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done");
  TestPipe out = make_pipe();
  spec.stdio.out = out.writer;
  auto container = host().create(spec);
  ASSERT_TRUE(container.has_value()) << container.error().message();
  ASSERT_EQ(read_until(out.reader, "up"), "up");
  ASSERT_TRUE(container->signal(SIGTERM).has_value());
  EXPECT_EQ(*container->wait(), (ExitStatus{ExitStatus::Kind::exited, 5}));
}

TEST_F(Lifecycle, KillsAtTheTimeLimitWithAndWithoutAnInit) {
  for (const Init init : {Init::reaper, Init::none}) {
    if (init == Init::none && !has_cgroups()) continue;
    ContainerSpec spec = shell("while :; do :; done");
    spec.init = init;
    spec.time_limit = 100ms;
    auto container = host().create(spec);
    ASSERT_TRUE(container.has_value()) << container.error().message();
    EXPECT_EQ(container->wait()->kind, ExitStatus::Kind::timed_out);
  }
}

TEST_F(Lifecycle, PausesAndResumes) {
  if (!has_cgroups()) GTEST_SKIP() << "needs: cgroups";
  ContainerSpec spec = shell("while :; do echo tick; sleep 0.01; done");
  TestPipe out = make_pipe();
  spec.stdio.out = out.writer;
  auto container = host().create(spec);
  ASSERT_TRUE(container.has_value()) << container.error().message();
  read_until(out.reader, "tick");
  const auto paused = container->pause();
  ASSERT_TRUE(paused.has_value()) << paused.error().message();
  // What was written before is read; then nothing comes.
  ::fcntl(out.reader.get(), F_SETFL, O_NONBLOCK);
  char buffer[65536];
  while (::read(out.reader.get(), buffer, sizeof buffer) > 0) continue;
  EXPECT_FALSE(container->wait_until(in(60ms))->has_value());
  EXPECT_LT(::read(out.reader.get(), buffer, sizeof buffer), 0);
  ASSERT_TRUE(container->resume().has_value());
  EXPECT_NE(read_until(out.reader, "tick"), "");
}

TEST_F(Lifecycle, KillsAPausedContainer) {
  if (!has_cgroups()) GTEST_SKIP() << "needs: cgroups";
  ContainerSpec spec = shell("while :; do :; done");
  auto container = host().create(spec);
  ASSERT_TRUE(container.has_value()) << container.error().message();
  const auto paused = container->pause();
  ASSERT_TRUE(paused.has_value()) << paused.error().message();
  ASSERT_TRUE(container->kill().has_value());
  EXPECT_EQ(container->wait()->kind, ExitStatus::Kind::signaled);
}

TEST_F(Lifecycle, ReapsOrphansOfThePayload) {
  const Outcome outcome = run_shell(
      "for i in 1 2 3 4 5; do (sh -c 'true' &) ; done; sleep 0.2; ps -e -o stat= | grep -c Z");
  EXPECT_EQ(outcome.out, "0\n");
}

TEST_F(Lifecycle, EndsWithItsHandle) {
  TestPipe out = make_pipe();
  {
    ContainerSpec spec = shell("echo up; while :; do :; done");
    spec.stdio.out = out.writer;
    auto container = host().create(spec);
    ASSERT_TRUE(container.has_value()) << container.error().message();
    read_until(out.reader, "up");
  }
  out.writer.reset();
  EXPECT_EQ(drain(out.reader), "\n");
}

}  // namespace
}  // namespace sock::test
