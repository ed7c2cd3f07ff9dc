// What a payload finds when it starts.

#include <algorithm>
#include <cstdlib>

#include <sys/wait.h>
#include <unistd.h>

#include "host_fixture.hpp"

namespace sock::test {
namespace {

using Create = HostTest;

TEST_F(Create, RunsAProgramOfTheHostImageAndReportsItsExitCode) {
  const Outcome outcome = run_shell("echo hello; exit 7");
  EXPECT_EQ(outcome.out, "hello\n");
  EXPECT_EQ(outcome.status, (ExitStatus{ExitStatus::Kind::exited, 7}));
}

TEST_F(Create, ReportsTheSignalThatEndedThePayload) {
  const Outcome outcome = run_shell("kill -9 $$");
  EXPECT_EQ(outcome.status, (ExitStatus{ExitStatus::Kind::signaled, 9}));
}

TEST_F(Create, GivesThePayloadPidTwoUnderAnInitAndOneWithout) {
  EXPECT_EQ(run_shell("echo $$").out, "2\n");
  if (!has_cgroups()) GTEST_SKIP() << "needs: cgroups, for Init::none";
  ContainerSpec spec = shell("echo $$");
  spec.init = Init::none;
  EXPECT_EQ(run(spec).out, "1\n");
}

TEST_F(Create, LooksAProgramUpInThePathOfItsEnvironment) {
  ContainerSpec spec = shell("");
  spec.argv = {"env"};
  spec.env = {"PATH=/nowhere:/usr/bin", "A=b"};
  EXPECT_EQ(run(spec).out, "PATH=/nowhere:/usr/bin\nA=b\n");
}

TEST_F(Create, InheritsNothingOfTheEnvironment) {
  ::setenv("SOCK_TEST_SECRET", "planted", 1);
  ContainerSpec spec = shell("");
  spec.argv = {"/usr/bin/env"};
  EXPECT_EQ(run(spec).out, "");
}

TEST_F(Create, PassesExactlyTheDeclaredDescriptors) {
  TestPipe extra = make_pipe();
  ContainerSpec spec = shell("ls /proc/self/fd; echo $SOCK_FDS; echo through >&3");
  spec.fds = {{.name = "extra", .fd = extra.writer}};
  const Outcome outcome = run(spec);
  // 4 is the directory that ls itself has open.
  EXPECT_EQ(outcome.out, "0\n1\n2\n3\n4\nextra\n");
  extra.writer.reset();
  EXPECT_EQ(drain(extra.reader), "through\n");
}

TEST_F(Create, NamesEveryStageOfTheLaunchInOrder) {
  auto container = host().create(shell("true"));
  ASSERT_TRUE(container.has_value()) << container.error().message();
  std::vector<Stage> stages;
  for (const StageTiming& timing : container->timings()) stages.push_back(timing.stage);
  EXPECT_TRUE(std::ranges::is_sorted(stages));
  EXPECT_EQ(stages.front(), Stage::validate);
  EXPECT_EQ(stages.back(), Stage::exec);
  for (const Stage stage : {Stage::cgroup, Stage::rootfs, Stage::clone, Stage::mounts, Stage::root,
                            Stage::identity, Stage::capabilities, Stage::seccomp})
    EXPECT_NE(std::ranges::find(stages, stage), stages.end()) << to_string(stage);
}

TEST_F(Create, RefusesANameThatIsInUseUntilTheContainerIsGone) {
  {
    auto first = host().create(shell("cat"));
    ASSERT_TRUE(first.has_value()) << first.error().message();
    EXPECT_EQ(create_error(shell("true")).code, Errc::exists);
  }
  EXPECT_EQ(run_shell("exit 0").status.value, 0);
}

TEST_F(Create, GivesATerminalOfItsOwn) {
  ContainerSpec spec =
      shell("tty; stty size; ps -o tty= -p $$ 2>/dev/null || true; read x; echo got $x");
  spec.stdio.terminal = Terminal{.rows = 33, .columns = 77};
  auto container = host().create(spec);
  ASSERT_TRUE(container.has_value()) << container.error().message();
  ASSERT_TRUE(container->terminal());
  const std::string seen = read_until(container->terminal(), "33 77");
  EXPECT_NE(seen.find("/dev/pts/0"), std::string::npos) << seen;
  EXPECT_NE(seen.find("33 77"), std::string::npos) << seen;
  ASSERT_EQ(::write(container->terminal().get(), "typed\n", 6), 6);
  EXPECT_NE(read_until(container->terminal(), "got typed").find("got typed"), std::string::npos);
}

TEST_F(Create, KeepsTheStatusWhenTheProgramReapsItsChildrenItself) {
  auto container = host().create(shell("exit 3"));
  ASSERT_TRUE(container.has_value()) << container.error().message();
  int ignored = 0;
  while (::waitpid(-1, &ignored, 0) > 0) continue;
  const auto status = container->wait();
  ASSERT_TRUE(status.has_value()) << status.error().message();
  EXPECT_EQ(*status, (ExitStatus{ExitStatus::Kind::exited, 3}));
}

}  // namespace
}  // namespace sock::test
