// Handles used after they are moved from, after the end, twice, and in a copy of the program: each
// answers with an error, and none touches what is somebody else's.

#include <csignal>
#include <filesystem>

#include <sys/wait.h>
#include <unistd.h>

#include "host_fixture.hpp"

namespace sock::test {
namespace {

class Misuse : public HostTest {
 protected:
  Container start(const std::string& script) {
    auto made = host().create(shell(script));
    if (!made) throw std::runtime_error(made.error().message());
    return std::move(*made);
  }
};

template <class T>
Errc code_of(const Result<T>& result) {
  return result ? Errc::io : result.error().code;
}

// NOLINTBEGIN(bugprone-use-after-move)
TEST_F(Misuse, OfAContainerThatWasMovedFromIsRefused) {
  Container gone = start("exec sleep 60");
  const Container here = std::move(gone);
  EXPECT_EQ(code_of(gone.wait()), Errc::closed);
  EXPECT_EQ(code_of(gone.wait_until(in(std::chrono::seconds{1}))), Errc::closed);
  EXPECT_EQ(code_of(gone.pause()), Errc::closed);
  EXPECT_EQ(code_of(gone.resume()), Errc::closed);
  EXPECT_EQ(code_of(gone.signal(SIGTERM)), Errc::closed);
  EXPECT_EQ(code_of(gone.kill()), Errc::closed);
  EXPECT_EQ(code_of(gone.stats()), Errc::closed);
  EXPECT_EQ(code_of(gone.update({})), Errc::closed);
  EXPECT_EQ(code_of(gone.exec({.argv = {"/bin/true"}})), Errc::closed);
  EXPECT_FALSE(gone.pidfd());
  EXPECT_FALSE(gone.terminal());
  EXPECT_EQ(gone.pid(), -1);
  EXPECT_TRUE(gone.name().empty());
  EXPECT_TRUE(gone.timings().empty());
}

TEST_F(Misuse, OfAProcessOrHostThatWasMovedFromIsRefused) {
  Container container = start("exec sleep 60");
  Result<Process> made = container.exec({.argv = {"/bin/true"}});
  ASSERT_TRUE(made) << made.error().message();
  Process here = std::move(*made);
  EXPECT_EQ(code_of(made->wait()), Errc::closed);
  EXPECT_EQ(code_of(made->signal(SIGTERM)), Errc::closed);
  EXPECT_FALSE(made->pidfd());
  EXPECT_FALSE(made->terminal());
  EXPECT_EQ(made->pid(), -1);
  EXPECT_TRUE(here.wait());

  auto first = Host::open(host_options(scratch() + "/other"));
  ASSERT_TRUE(first) << first.error().message();
  const Host second = std::move(*first);
  EXPECT_EQ(code_of(first->create(shell("true"))), Errc::closed);
  EXPECT_EQ(first->cgroup_backend(), CgroupBackend::none);
}
// NOLINTEND(bugprone-use-after-move)

TEST_F(Misuse, AfterTheEndIsAnsweredAndChangesNothing) {
  Container container = start("exit 3");
  const ExitStatus end{ExitStatus::Kind::exited, 3};
  ASSERT_EQ(container.wait().value(), end);
  EXPECT_TRUE(container.kill());
  EXPECT_TRUE(container.kill());
  EXPECT_FALSE(container.signal(SIGTERM));
  EXPECT_EQ(code_of(container.exec({.argv = {"/bin/true"}})), Errc::closed);
  static_cast<void>(container.pause().has_value());
  static_cast<void>(container.resume().has_value());
  static_cast<void>(container.update({}).has_value());
  static_cast<void>(container.stats().has_value());
  EXPECT_EQ(container.wait().value(), end);
}

TEST_F(Misuse, AProcessHandleOutlivesItsContainer) {
  std::optional<Process> process;
  {
    Container container = start("exec sleep 60");
    auto made = container.exec({.argv = {"/bin/sleep", "60"}});
    ASSERT_TRUE(made) << made.error().message();
    process.emplace(std::move(*made));
  }
  EXPECT_FALSE(process->signal(SIGTERM));
  EXPECT_EQ(process->wait().value(), (ExitStatus{ExitStatus::Kind::signaled, SIGKILL}));
}

// The copy destroys its copies of the handles, as a program does that returns from main().
TEST_F(Misuse, InAForkedCopyOfTheProgramEndsNothing) {
  const auto state = scratch() + "/forked";
  auto other = std::make_unique<Host>(std::move(*Host::open(host_options(state))));
  ContainerSpec spec = shell("exec sleep 60");
  auto container = std::make_unique<Container>(std::move(*other->create(spec)));
  const pid_t copy = ::fork();
  if (copy == 0) {
    container.reset();
    other.reset();
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(copy, &status, 0), copy);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(container->wait_until(in(std::chrono::milliseconds{0})).value(), std::nullopt);
  spec.name = "second";
  EXPECT_TRUE(other->create(spec));
  EXPECT_FALSE(std::filesystem::is_empty(state));
  EXPECT_TRUE(container->kill());
}

}  // namespace
}  // namespace sock::test
