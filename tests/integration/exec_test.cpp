// Further processes in a running container.

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "host_fixture.hpp"

namespace sock::test {
namespace {

class Exec : public HostTest {
 protected:
  Container start(ContainerSpec spec) {
    spec.argv = {"/bin/sh", "-c", "echo up; while :; do sleep 1; done"};
    TestPipe out = make_pipe();
    spec.stdio.out = out.writer;
    auto container = host().create(spec);
    EXPECT_TRUE(container.has_value()) << container.error().message();
    read_until(out.reader, "up");
    return std::move(*container);
  }
  std::string exec(Container& container, const std::string& script) {
    TestPipe out = make_pipe();
    auto process = container.exec(
        {.argv = {"/bin/sh", "-c", script}, .stdio = {.out = out.writer, .err = out.writer}});
    out.writer.reset();
    if (!process) return "exec: " + process.error().message();
    std::string text = drain(out.reader);
    status = *process->wait();
    return text;
  }
  ExitStatus status{};
};

TEST_F(Exec, RunsInTheNamespacesAndRootOfTheContainer) {
  Container container = start(shell(""));
  EXPECT_EQ(exec(container, "uname -n; ls -d /proc/2; touch /tmp/seen; ls /tmp; exit 4"),
            "sock\n/proc/2\nseen\n");
  EXPECT_EQ(status, (ExitStatus{ExitStatus::Kind::exited, 4}));
}

TEST_F(Exec, HasNoMoreRightsThanThePayload) {
  Container container = start(shell(""));
  EXPECT_EQ(exec(container,
                 "id -u; grep -E '^(CapEff|CapBnd|NoNew|Seccomp:)' /proc/self/status | cut -f2"),
            "65534\n0000000000000000\n0000000000000000\n1\n2\n");
}

TEST_F(Exec, WorksInAUserNamespaceAndAMountNamespaceOfItsOwn) {
  if (is_rootless()) GTEST_SKIP() << "needs: root, for a range of ids";
  ContainerSpec spec = shell("");
  spec.namespaces.mount = MountNamespace::own;
  spec.namespaces.user = UserNamespace{.uids = {{0, 100000, 65536}}, .gids = {{0, 100000, 65536}}};
  Container container = start(spec);
  EXPECT_EQ(exec(container, "id -u; cat /proc/self/uid_map | tr -s ' '; ls -d /usr"),
            "65534\n 0 100000 65536\n/usr\n");
}

// However many others the Host has made meanwhile.
TEST_F(Exec, StaysInTheUserNamespaceOfItsContainer) {
  if (is_rootless()) GTEST_SKIP() << "needs: root, for a range of ids";
  const auto with_ids_from = [this](std::uint32_t first) {
    ContainerSpec spec = shell("true");
    spec.name = "from-" + std::to_string(first);
    const IdRange range{.inside = 0, .outside = first, .count = 65536};
    spec.namespaces.user = UserNamespace{.uids = {range}, .gids = {range}};
    return spec;
  };
  Container container = start(with_ids_from(100'000));
  const auto own =
      std::filesystem::read_symlink("/proc/" + std::to_string(container.pid()) + "/ns/user");
  for (std::uint32_t i = 1; i <= 40; ++i)
    EXPECT_TRUE(run(with_ids_from(100'000 + i * 65536)).status.ok());
  EXPECT_EQ(exec(container, "readlink /proc/self/ns/user"), own.string() + "\n");
}

TEST_F(Exec, NamesAProgramThatDoesNotExist) {
  Container container = start(shell(""));
  auto process = container.exec({.argv = {"/no/such/program"}});
  ASSERT_FALSE(process.has_value());
  EXPECT_EQ(process.error().code, Errc::not_found);
  EXPECT_EQ(process.error().stage, Stage::exec);
}

TEST_F(Exec, IsRefusedWhenTheContainerHasEnded) {
  auto container = host().create(shell("true"));
  ASSERT_TRUE(container.has_value());
  ASSERT_TRUE(container->wait().has_value());
  EXPECT_EQ(container->exec({.argv = {"true"}}).error().code, Errc::closed);
}

TEST_F(Exec, KeepsNothingOfProcessesThatHaveEnded) {
  Container container = start(shell(""));
  const auto count_fds = [] {
    namespace fs = std::filesystem;
    return std::distance(fs::directory_iterator{"/proc/self/fd"}, fs::directory_iterator{});
  };
  exec(container, "true");
  const auto before = count_fds();
  for (int i = 0; i < 5; ++i) exec(container, "true");
  EXPECT_EQ(count_fds(), before);
}

TEST_F(Exec, EndsWithTheContainer) {
  Container container = start(shell(""));
  TestPipe out = make_pipe();
  auto process = container.exec(
      {.argv = {"/bin/sh", "-c", "while :; do :; done"}, .stdio = {.out = out.writer}});
  ASSERT_TRUE(process.has_value()) << process.error().message();
  out.writer.reset();
  ASSERT_TRUE(container.kill().has_value());
  EXPECT_EQ(drain(out.reader), "");
  EXPECT_EQ(process->wait()->kind, ExitStatus::Kind::signaled);
}

TEST_F(Exec, IsRefusedWhileTheContainerIsPaused) {
  if (!has_cgroups()) GTEST_SKIP() << "needs: cgroups";
  auto container = host().create(shell("exec sleep 1000"));
  ASSERT_TRUE(container) << container.error().message();
  ASSERT_TRUE(container->pause());
  const auto refused = container->exec({.argv = {"true"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().stage, Stage::pause);
  ASSERT_TRUE(container->resume());
  auto process = container->exec({.argv = {"true"}});
  ASSERT_TRUE(process) << process.error().message();
  EXPECT_TRUE(process->wait()->ok());
}

// Until its program runs, it has the payload's user already.
TEST_F(Exec, IsNotHeldByAPayloadThatStopsIt) {
  ContainerSpec spec = shell("");
  spec.argv = {"/bin/sh", "-c", "echo up; while :; do kill -STOP -1; done 2>/dev/null"};
  TestPipe out = make_pipe();
  spec.stdio.out = out.writer;
  auto container = host().create(spec);
  ASSERT_TRUE(container.has_value()) << container.error().message();
  read_until(out.reader, "up");
  std::chrono::steady_clock::duration longest{};
  for (int i = 0; i < 50 && longest < std::chrono::seconds{1}; ++i) {
    const auto before = std::chrono::steady_clock::now();
    const auto process = container->exec({.argv = {"/bin/true"}});
    longest = std::max(longest, std::chrono::steady_clock::now() - before);
    EXPECT_TRUE(process.has_value() || process.error().code == Errc::launch_failed ||
                process.error().code == Errc::timed_out);
  }
  EXPECT_LT(longest, std::chrono::seconds{20});
  // Whoever waited would have the container.
  EXPECT_TRUE(!has_cgroups() || container->pause().has_value());
  EXPECT_TRUE(container->kill().has_value());
}

}  // namespace
}  // namespace sock::test
