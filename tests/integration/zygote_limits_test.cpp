// Limits of domains and of the containers that are forked in them, and whose memory is counted
// where.

#include <sstream>

#include "zygote_fixture.hpp"

namespace sock::test {
namespace {

using namespace std::chrono_literals;

class ZygoteLimits : public ZygoteMemoryTest {
 protected:
  static std::uint64_t memory_of(Container& container) {
    const auto stats = container.stats();
    EXPECT_TRUE(stats) << stats.error().message();
    return stats ? stats->memory_current.value_or(0) : 0;
  }
};

TEST_F(ZygoteLimits, KillAForkedContainerThatIsOutOfMemoryAndNothingElse) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  ContainerSpec spec = command("x = bytearray(256 << 20)");
  EXPECT_TRUE(run_forked(zygote, spec).status.ok()) << "without a limit";
  spec.resources.memory_max = 32U << 20U;
  EXPECT_EQ(run_forked(zygote, spec).status.kind, ExitStatus::Kind::oom_killed);
  EXPECT_EQ(output_of(zygote, "print('serving')"), "serving\n");
  EXPECT_FALSE(*domain.container().wait_until(in(0ms)));
}

TEST_F(ZygoteLimits, CountAForkedContainersMemoryInItsOwnGroup) {
  constexpr std::uint64_t touched = 24U << 20U;
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  output_of(zygote, "print('the first one')");
  const std::uint64_t before = memory_of(domain.container());
  EXPECT_GT(before, 0U);
  ContainerSpec spec = command("x = bytearray(24 << 20); print('up', flush=True); input()");
  TestPipe out = make_pipe();
  const TestPipe in_pipe = make_pipe();
  spec.stdio.out = out.writer;
  spec.stdio.in = in_pipe.reader;
  auto container = zygote.fork(spec);
  ASSERT_TRUE(container) << container.error().message();
  read_until(out.reader, "up");
  EXPECT_GT(memory_of(*container), touched);
  EXPECT_LT(memory_of(domain.container()), before + touched / 2);
}

TEST_F(ZygoteLimits, EndAZygoteThatImportsMoreThanItsDomainMayHold) {
  write_module("greedy", "kept = bytearray(256 << 20)\n");
  ZygoteDomain neighbour = open_domain("neighbour");
  Zygote untouched = first_zygote(neighbour);
  ZygoteDomainSpec spec = domain_spec("small");
  spec.resources.memory_max = 64U << 20U;
  ZygoteDomain domain = open_domain(spec);
  Zygote zygote = first_zygote(domain);
  const Error error = grow_error(zygote, "greedy");
  EXPECT_EQ(error.code, Errc::closed) << error.message();
  EXPECT_EQ(error.stage, Stage::import_modules);
  auto next = domain.start_zygote();
  ASSERT_TRUE(next) << next.error().message();
  EXPECT_EQ(output_of(*next, "print('fresh')"), "fresh\n");
  // What was too much there.
  grow(untouched, "greedy");
  EXPECT_EQ(output_of(untouched, "print('untouched')"), "untouched\n");
}

TEST_F(ZygoteLimits, KillWhoeverImportsAndNobodyWhoIsThere) {
  write_module("large", "kept = bytearray(80 << 20)\n");
  write_module("greedy",
               "try: open('/proc/self/oom_score_adj', 'w').write('-1000')\n"
               "except OSError: pass\n"
               "kept = []\n"
               "while True: kept.append(bytearray(1 << 20))\n");
  ZygoteDomainSpec spec = domain_spec("domain");
  spec.resources.memory_max = 160U << 20U;
  ZygoteDomain domain = open_domain(spec);
  Zygote zygote = first_zygote(domain);
  Zygote large = grow(zygote, "large");
  EXPECT_EQ(grow_error(zygote, "greedy").code, Errc::closed);
  EXPECT_EQ(output_of(large, "import large; print(len(large.kept))"), "83886080\n");
  EXPECT_EQ(output_of(zygote, "print('there')"), "there\n");
  // Whoever has imported something is as all the others.
  for (const auto* each : {&zygote, &large})
    EXPECT_EQ(content("/proc/" + std::to_string(each->pid()) + "/oom_score_adj"),
              content("/proc/self/oom_score_adj"));
}

/// The groups of a process that a Host has made, one line for each hierarchy.
std::vector<std::string> groups_of(pid_t pid) {
  std::vector<std::string> found;
  std::istringstream lines{content("/proc/" + std::to_string(pid) + "/cgroup")};
  for (std::string line; std::getline(lines, line);)
    if (line.contains("/sock-")) found.push_back(line);
  return found;
}

using ZygoteGroups = ZygoteTest;

TEST_F(ZygoteGroups, AreOthersThanThoseOfForkedContainers) {
  if (!has_cgroups()) GTEST_SKIP() << "needs cgroups";
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  TestPipe out = make_pipe();
  ContainerSpec spec = command("import signal\nprint('up', flush=True)\nsignal.pause()");
  spec.stdio.out = out.writer;
  auto container = zygote.fork(spec);
  ASSERT_TRUE(container) << container.error().message();
  read_until(out.reader, "up");
  const std::vector<std::string> domains = groups_of(zygote.pid());
  const std::vector<std::string> own = groups_of(container->pid());
  EXPECT_FALSE(domains.empty());
  ASSERT_EQ(own.size(), domains.size());
  for (std::size_t i = 0; i < own.size(); ++i) {
    EXPECT_NE(own[i], domains[i]);
    EXPECT_FALSE(own[i].starts_with(domains[i] + "/")) << "or it would count there too";
  }
}

}  // namespace
}  // namespace sock::test
