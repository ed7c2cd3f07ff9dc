// Limits, statistics and what happens beyond them.

#include <sys/mman.h>
#include <unistd.h>

#include "host_fixture.hpp"

namespace sock::test {
namespace {

using Limits = HostTest;

class LimitsWithControllers : public HostTest {
 protected:
  void SetUp() override {
    HostTest::SetUp();
    const auto able = try_memory_limit();
    if (!able) GTEST_SKIP() << "needs: a memory controller: " << able.error().message();
  }
};

TEST_F(LimitsWithControllers, ReportsAnOomKill) {
  ContainerSpec spec = shell("");
  spec.argv = {"python3", "-c", "x = bytearray(256 << 20)"};
  spec.resources.memory_max = 32U << 20U;
  EXPECT_EQ(run(spec).status.kind, ExitStatus::Kind::oom_killed);
}

TEST_F(LimitsWithControllers, RefusesMoreProcessesThanPidsMax) {
  ContainerSpec spec = shell("for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait; echo done");
  spec.resources.pids_max = 5;
  EXPECT_EQ(run(spec).err.find("fork") == std::string::npos, false);
}

TEST_F(LimitsWithControllers, CountsMemoryAndTime) {
  ContainerSpec spec = shell("");
  spec.argv = {"python3", "-c", "x = bytearray(24 << 20); print('up', flush=True); input()"};
  TestPipe out = make_pipe();
  TestPipe in_pipe = make_pipe();
  spec.stdio.out = out.writer;
  spec.stdio.in = in_pipe.reader;
  auto container = host().create(spec);
  ASSERT_TRUE(container.has_value()) << container.error().message();
  read_until(out.reader, "up");
  const auto stats = container->stats();
  ASSERT_TRUE(stats.has_value()) << stats.error().message();
  EXPECT_GT(stats->memory_current.value_or(0), 24U << 20U);
  EXPECT_GT(stats->cpu_total.value_or(std::chrono::nanoseconds{0}).count(), 0);
}

TEST_F(LimitsWithControllers, ReusesACgroupWithFreshLimits) {
  ContainerSpec tight = shell("true");
  tight.resources.memory_max = 16U << 20U;
  for (int round = 0; round < 4; ++round) run(tight);
  ContainerSpec roomy = shell("");
  roomy.argv = {"python3", "-c", "x = bytearray(64 << 20); print(len(x))"};
  EXPECT_EQ(run(roomy).out, "67108864\n");
}

// What is written to a memory file that others hold is charged to its writer's group.
TEST_F(LimitsWithControllers, ReusesNoCgroupThatIsStillCharged) {
  const UniqueFd kept{::memfd_create("kept", MFD_CLOEXEC)};
  ASSERT_TRUE(kept);
  ContainerSpec writer = shell("head -c 33554432 /dev/zero >&3");
  writer.fds = {{.name = "kept", .fd = kept}};
  EXPECT_TRUE(run(writer).status.ok());
  ASSERT_EQ(::lseek(kept.get(), 0, SEEK_END), 32 << 20);

  ContainerSpec next = shell("");
  next.argv = {"python3", "-c", "x = bytearray(24 << 20); print(len(x))"};
  next.resources.memory_max = 48U << 20U;
  next.resources.swap_max = 0;
  EXPECT_EQ(run(next).out, "25165824\n");
}

TEST_F(Limits, RefusesALimitThatNobodyWouldEnforce) {
  if (has_cgroups()) GTEST_SKIP() << "needs: no cgroups";
  ContainerSpec spec = shell("true");
  spec.resources.memory_max = 64U << 20U;
  EXPECT_EQ(create_error(spec).code, Errc::unsupported);
}

// As create() does, before the kernel sees a number that it would refuse or round.
TEST_F(Limits, NamesANumberOutOfBoundsInAnUpdate) {
  auto container = host().create(shell("exec sleep 60"));
  ASSERT_TRUE(container.has_value()) << container.error().message();
  for (const auto& [resources, subject] :
       {std::pair{Resources{.memory_max = UINT64_MAX}, "memory_max"},
        std::pair{Resources{.cpu_period = std::chrono::microseconds{0}}, "cpu_period"},
        std::pair{Resources{.pids_max = UINT32_MAX}, "pids_max"}}) {
    const auto updated = container->update(resources);
    ASSERT_FALSE(updated.has_value()) << subject;
    EXPECT_EQ(updated.error().code, Errc::invalid_spec);
    EXPECT_EQ(updated.error().subject, subject);
  }
}

TEST_F(Limits, SetsResourceLimitsOfTheProcess) {
  ContainerSpec spec = shell("ulimit -n; ulimit -c");
  spec.rlimits = {{.name = "nofile", .value = 16}};
  EXPECT_EQ(run(spec).out, "16\n0\n");
}

TEST_F(Limits, BoundsTheScratchSpace) {
  ContainerSpec spec = shell("head -c 3000000 /dev/zero > /tmp/big 2>/dev/null || echo full");
  spec.rootfs.tmpfs = {{.target = "/tmp", .size_max = 1U << 20U}};
  EXPECT_EQ(run(spec).out, "full\n");
}

TEST_F(Limits, BoundsTheInodesOfTheScratchSpaceByItsSize) {
  ContainerSpec spec = shell("mkdir $(seq -f /tmp/%g 3000) 2>/dev/null; ls /tmp | wc -l");
  spec.rootfs.tmpfs = {{.target = "/tmp", .size_max = 1U << 20U}};
  EXPECT_EQ(run(spec).out, "1023\n");  // The top is one of them.
}

}  // namespace
}  // namespace sock::test
