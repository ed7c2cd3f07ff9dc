// Children that are forked ahead: when, where they wait, and what they may do until then.

#include <fstream>
#include <sstream>
#include <thread>

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zygote_fixture.hpp"

namespace sock::test {
namespace {

using namespace std::chrono_literals;

using ZygoteSpares = ZygoteTest;
using ZygoteSpareLimits = ZygoteMemoryTest;

/// What the domain's init has for children beside the zygote.
std::vector<pid_t> spares_of(ZygoteDomain& domain, const Zygote& zygote) {
  const std::string init = std::to_string(domain.container().pid());
  std::istringstream children{content("/proc/" + init + "/task/" + init + "/children")};
  std::vector<pid_t> spares;
  for (pid_t pid = 0; children >> pid;)
    if (pid != zygote.pid()) spares.push_back(pid);
  return spares;
}

std::string groups_of(pid_t pid) {
  return content("/proc/" + std::to_string(pid) + "/cgroup");
}

/// The first spare, as soon as it waits in other groups than the domain; 0 if it never does.
pid_t wait_for_spare(ZygoteDomain& domain, const Zygote& zygote) {
  const std::string domains = groups_of(domain.container().pid());
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (std::chrono::steady_clock::now() < deadline) {
    for (const pid_t spare : spares_of(domain, zygote))
      if (const std::string groups = groups_of(spare); !groups.empty() && groups != domains)
        return spare;
    std::this_thread::yield();
  }
  return 0;
}

/// Forks until a spare is taken, which says hello a moment after it has joined its groups.
Result<Container> fork_spare(Zygote& zygote, const ContainerSpec& spec) {
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  for (int attempt = 0;; ++attempt) {
    ContainerSpec another = spec;
    another.name += std::to_string(attempt);
    auto container = zygote.fork(another);
    if (!container || container->origin() == Origin::spare ||
        std::chrono::steady_clock::now() >= deadline)
      return container;
  }
}

TEST_F(ZygoteSpares, KeepSparesThatAreForkedAhead) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  ASSERT_TRUE(zygote.keep_spares(3));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(output_of(zygote, "print('spare')"), "spare\n");
  ASSERT_TRUE(zygote.keep_spares(0));
  EXPECT_EQ(zygote.keep_spares(65).error().code, Errc::invalid_spec);
}

TEST_F(ZygoteSpares, ServeARequestBeforeTheyForkSpares) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  constexpr std::uint64_t spares = 64;
  ASSERT_TRUE(zygote.keep_spares(spares));
  EXPECT_EQ(output_of(zygote, "print('first')"), "first\n");
  const auto stats = domain.container().stats();
  ASSERT_TRUE(stats) << stats.error().message();
  EXPECT_LT(stats->pids_current.value_or(0), spares);
}

/// How many there were.
int kill_spares(ZygoteDomain& domain, const Zygote& zygote) {
  int killed = 0;
  for (const pid_t pid : spares_of(domain, zygote)) {
    const UniqueFd pidfd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
    if (!pidfd) continue;
    ++killed;
    EXPECT_EQ(::kill(pid, SIGKILL), 0);
    pollfd ended{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&ended, 1, 20'000), 1);
  }
  return killed;
}

TEST_F(ZygoteSpares, DoWithoutSparesThatHaveDied) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  ASSERT_TRUE(zygote.keep_spares(2));
  // They are forked when nobody has asked for anything for a while: the payload takes that long.
  int killed = 0;
  for (int i = 0; i < 50 && killed == 0; ++i) {
    EXPECT_EQ(output_of(zygote, "sum(range(2_000_000)); print('spare')"), "spare\n");
    killed = kill_spares(domain, zygote);
  }
  EXPECT_GE(killed, 1);
  EXPECT_EQ(output_of(zygote, "print('another')"), "another\n");
}

TEST_F(ZygoteSpares, WaitInTheGroupsOfTheContainersThatTheyWillBe) {
  if (!has_cgroups()) GTEST_SKIP() << "needs cgroups";
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  const auto asked = zygote.fork(command("pass"));
  ASSERT_TRUE(asked) << asked.error().message();
  EXPECT_EQ(asked->origin(), Origin::forked);
  ASSERT_TRUE(zygote.keep_spares(1));
  const pid_t spare = wait_for_spare(domain, zygote);
  ASSERT_NE(spare, 0);
  const std::string groups = groups_of(spare);
  auto container = fork_spare(zygote, command("input()"));
  ASSERT_TRUE(container) << container.error().message();
  EXPECT_EQ(container->origin(), Origin::spare);
  if (container->pid() == spare) {
    EXPECT_EQ(groups_of(spare), groups);
  }
  // A cgroup namespace has been made there since: the container sees no more than its own.
  EXPECT_NE(groups_of(container->pid()), groups_of(zygote.pid()));
}

TEST_F(ZygoteSpareLimits, AreThoseOfTheContainerAfterwards) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  ASSERT_TRUE(zygote.keep_spares(1));
  ASSERT_NE(wait_for_spare(domain, zygote), 0);
  ContainerSpec spec = command(
      "import os, signal\n"
      "memory = bytearray(b'x') * (64 << 20)\n"
      "children = []\n"
      "try:\n"
      "    for _ in range(20):\n"
      "        child = os.fork()\n"
      "        if not child: signal.pause()\n"
      "        children.append(child)\n"
      "except BlockingIOError: pass\n"
      "raise SystemExit(len(children))\n");
  spec.resources = {.memory_max = 128UL << 20U, .pids_max = 16};
  auto container = fork_spare(zygote, spec);
  ASSERT_TRUE(container) << container.error().message();
  EXPECT_EQ(container->origin(), Origin::spare);
  EXPECT_EQ(*container->wait(), (ExitStatus{ExitStatus::Kind::exited, 15}));
}

// A package's at-fork hook runs in each of them, before anybody has asked for it.
TEST_F(ZygoteSpareLimits, LeaveLittleMemoryToThoseWhoWait) {
  write_module("greedy",
               "import os\n"
               "kept = []\n"
               "def grow(): kept.append(bytearray(b'x') * (64 << 20))\n"
               "os.register_at_fork(after_in_child=grow)\n");
  ZygoteDomain domain = open_domain();
  Zygote bare = first_zygote(domain);
  Zygote zygote = grow(bare, "greedy");
  ASSERT_TRUE(zygote.keep_spares(1));
  const std::string domains = groups_of(domain.container().pid());
  const auto is_waiting = [&] {
    for (const pid_t spare : spares_of(domain, zygote))
      if (spare != bare.pid() && groups_of(spare) != domains) return spare;
    return 0;
  };
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  pid_t spare = 0;
  while (spare == 0 && std::chrono::steady_clock::now() < deadline) spare = is_waiting();
  const UniqueFd pidfd{static_cast<int>(::syscall(SYS_pidfd_open, spare, 0))};
  // It may have been killed already.
  pollfd ended{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  if (pidfd) {
    EXPECT_EQ(::poll(&ended, 1, 20'000), 1);
  }
  EXPECT_EQ(output_of(zygote, "import greedy\nprint(len(greedy.kept[0]))"), "67108864\n");
}

}  // namespace
}  // namespace sock::test
