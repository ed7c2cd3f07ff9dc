// The pool on the real kernel, for each backend that this machine has. Skipped, with the reason,
// where it lacks one.

#include "isolation/cgroup/pool.hpp"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "payload.hpp"
#include "sys/file.hpp"

namespace sock::isolation {
namespace {

namespace fs = std::filesystem;

constexpr KernelFeatures everything{.clone3 = true, .clone_into_cgroup = true, .cgroup_kill = true};
constexpr KernelFeatures nothing{};

struct Machine {
  const char* name;
  CgroupBackend backend;
  KernelFeatures features;
};

std::string contents(const std::string& file) {
  std::ifstream stream{file};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

class CgroupPoolOn : public testing::TestWithParam<Machine> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    static int count = 0;
    instance_ = "test-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
    auto planned = CgroupPool::plan({.backend = GetParam().backend, .reserve = 2},
                                    GetParam().features, instance_);
    if (!planned) GTEST_SKIP() << "needs a writable hierarchy: " << planned.error().message();
    pool_ = std::move(*planned);
    directories_ = pool_->directories();
    ASSERT_EQ(pool_->backend(), GetParam().backend);
    for (const std::string& directory : directories_) ASSERT_FALSE(fs::exists(directory));
    const auto prepared = pool_->prepare();
    ASSERT_TRUE(prepared.has_value()) << prepared.error().message();
  }

  void TearDown() override {
    pool_.reset();
    for (const std::string& directory : directories_)
      EXPECT_FALSE(fs::exists(directory)) << directory << " was left behind";
  }

  Cgroup take(const Resources& resources = {}) {
    auto group = pool_->take(resources);
    if (!group) {
      ADD_FAILURE() << group.error().message();
      return {};
    }
    return std::move(*group);
  }

  /// The file of a group, in whichever hierarchy has it.
  std::string read(const std::string& group, const std::string& file) {
    for (const std::string& directory : directories_)
      if (const std::string path = directory + "/" + group + "/" + file; fs::exists(path))
        return contents(path);
    return "missing";
  }
  [[nodiscard]] bool has(const std::string& file) { return read("c0", file) != "missing"; }
  /// What v1 or v2 calls it, whichever has the controller.
  std::string either(const std::string& v1, const std::string& v2) {
    return read("c0", has(v1) ? v1 : v2);
  }
  std::string memory_limit() { return either("memory.limit_in_bytes", "memory.max"); }
  [[nodiscard]] bool limits_memory() { return memory_limit() != "missing"; }
  [[nodiscard]] bool limits_pids() { return has("pids.max"); }
  /// KERNEL: memory.peak of v2 cannot be reset before 6.12, when it is not writable.
  [[nodiscard]] bool resets_peak() const {
    for (const std::string& directory : directories_)
      if (const fs::path file = directory + "/c0/memory.peak"; fs::exists(file))
        return (fs::status(file).permissions() & fs::perms::owner_write) != fs::perms::none;
    return true;
  }

  std::string instance_;
  std::unique_ptr<CgroupPool> pool_;
  std::vector<std::string> directories_;
};

TEST_P(CgroupPoolOn, PutsAPayloadIntoEveryHierarchy) {
  const Cgroup group = take();
  Payload payload{group};
  ASSERT_TRUE(payload.is_ready());
  for (const std::string& directory : directories_)
    EXPECT_EQ(contents(directory + "/c0/cgroup.procs"), std::to_string(payload.pid()) + "\n");
}

TEST_P(CgroupPoolOn, OffersCloneIntoOnlyWhereTheKernelCan) {
  const Cgroup group = take();
  const bool can = GetParam().features.clone_into_cgroup && GetParam().backend != CgroupBackend::v1;
  EXPECT_EQ(static_cast<bool>(group.clone_into()), can);
  EXPECT_EQ(group.join_fds().size(), directories_.size() - (can ? 1U : 0U));
}

// Of a process it takes a grace period of RCU, of a single thread nothing.
TEST_P(CgroupPoolOn, LetsASingleThreadJoinV1Groups) {
  const Cgroup group = take();
  for (const int fd : group.join_fds()) {
    const std::string file = fs::read_symlink("/proc/self/fd/" + std::to_string(fd)).string();
    const bool is_v2 = fs::exists(file.substr(0, file.rfind('/')) + "/cgroup.controllers");
    EXPECT_TRUE(file.ends_with(is_v2 ? "/cgroup.procs" : "/tasks")) << file;
  }
}

TEST_P(CgroupPoolOn, WritesLimitsAndResetsThemForTheNextUser) {
  if (!limits_memory()) GTEST_SKIP() << "needs a memory controller";
  {
    const Cgroup group = take({.memory_max = 64U << 20U, .cpu_weight = 200, .pids_max = 9});
    EXPECT_EQ(memory_limit(), "67108864\n");
    EXPECT_EQ(either("cpu.shares", "cpu.weight"), has("cpu.shares") ? "2048\n" : "200\n");
    EXPECT_EQ(read("c0", "pids.max"), "9\n");
  }
  const Cgroup group = take({.pids_max = {}});
  const std::string unlimited = memory_limit();
  EXPECT_TRUE(unlimited == "max\n" || std::stoull(unlimited) > 1ULL << 40U) << unlimited;
  EXPECT_EQ(either("cpu.shares", "cpu.weight"), has("cpu.shares") ? "1024\n" : "100\n");
  EXPECT_EQ(read("c0", "pids.max"), "max\n");
}

TEST_P(CgroupPoolOn, NamesALimitThatTheKernelRefusesAndKeepsTheOldOnes) {
  if (!limits_memory()) GTEST_SKIP() << "needs a cpu controller";
  Cgroup group = take({.memory_max = 32U << 20U});
  const auto refused =
      group.limit({.memory_max = 16U << 20U, .cpu_quota = std::chrono::microseconds{1}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().stage, Stage::cgroup);
  EXPECT_EQ(refused.error().subject, "cpu_quota 1us per 100000us");
  EXPECT_NE(refused.error().hint.find("1000us"), std::string::npos);
  EXPECT_EQ(memory_limit(), "33554432\n");
}

TEST_P(CgroupPoolOn, NamesAMemoryLimitBelowWhatIsUsed) {
  // KERNEL: v2 makes room by killing instead.
  if (!has("memory.limit_in_bytes")) GTEST_SKIP() << "needs a memory controller of v1";
  Cgroup group = take();
  Payload payload{group, [] {
                    constexpr std::size_t size = 8U << 20U;
                    void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
                    if (::mlock(memory, size) == 0) Payload::wait_for_death();
                  }};
  ASSERT_TRUE(payload.is_ready());
  while (group.stats()->memory_current.value_or(0) < (8U << 20U)) ASSERT_FALSE(payload.is_dead());
  const auto refused = group.limit({.memory_max = 4096});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().subject, "memory_max 4096");
  EXPECT_NE(refused.error().hint.find("uses more"), std::string::npos);
}

TEST_P(CgroupPoolOn, RefusesALimitWithoutController) {
  if (limits_memory()) GTEST_SKIP() << "needs a backend without a memory controller";
  const auto group = pool_->take({.memory_max = 1U << 20U});
  ASSERT_FALSE(group.has_value());
  EXPECT_EQ(group.error().code, Errc::unsupported);
  EXPECT_EQ(group.error().subject, "memory_max 1048576");
}

TEST_P(CgroupPoolOn, FreezesAndThaws) {
  Cgroup group = take();
  Payload payload{group};
  const auto frozen = group.freeze(soon());
  ASSERT_TRUE(frozen.has_value()) << frozen.error().message();
  const std::string state = read("c0", "freezer.state") + read("c0", "cgroup.events");
  EXPECT_TRUE(state.find("FROZEN") != std::string::npos ||
              state.find("frozen 1") != std::string::npos);
  ASSERT_TRUE(group.thaw().has_value());
  const std::string after = read("c0", "freezer.state") + read("c0", "cgroup.freeze");
  EXPECT_TRUE(after.starts_with("THAWED") || after.ends_with("0\n")) << after;
}

TEST_P(CgroupPoolOn, KillsWhatIsFrozen) {
  Cgroup group = take();
  Payload first{group};
  Payload second{group};
  ASSERT_TRUE(group.freeze(soon()).has_value());
  const auto killed = group.kill_all(soon());
  ASSERT_TRUE(killed.has_value()) << killed.error().message();
  EXPECT_EQ(first.end(), SIGKILL);
  EXPECT_EQ(second.end(), SIGKILL);
}

TEST_P(CgroupPoolOn, KillingAnEmptyGroupIsSuccess) {
  Cgroup group = take();
  EXPECT_TRUE(group.kill_all(soon()).has_value());
  EXPECT_EQ(read("c0", "cgroup.procs"), "");
}

TEST_P(CgroupPoolOn, ReusesAGroupWhosePayloadHasEnded) {
  {
    const Cgroup group = take();
    Payload payload{group, [] {}};
    payload.end();
  }
  const Cgroup group = take();
  Payload payload{group};
  EXPECT_TRUE(payload.is_ready());
  EXPECT_EQ(read("c0", "cgroup.procs"), std::to_string(payload.pid()) + "\n");
}

// KERNEL (6.12): where cgroup.kill was written, what CLONE_INTO_CGROUP puts in is killed at birth.
TEST_P(CgroupPoolOn, NeverClonesIntoAGroupThatWasKilled) {
  {
    Cgroup group = take();
    const Payload killed{group};
    ASSERT_TRUE(group.kill_all(soon()).has_value());
    Payload next{group};
    EXPECT_TRUE(next.is_ready()) << "joining still works, for exec";
  }  // the payload dies here, and its group is given back
  for (int i = 0; i < 3; ++i) {
    const Cgroup group = take();
    const Payload payload{group};
    EXPECT_TRUE(payload.is_ready());
  }
}

TEST_P(CgroupPoolOn, GivingBackKillsWhatIsLeft) {
  std::optional<Cgroup> group = take();
  Payload payload{*group};
  group.reset();
  EXPECT_TRUE(payload.is_dead());
  EXPECT_EQ(payload.end(), SIGKILL);
}

TEST_P(CgroupPoolOn, GivingBackAFrozenGroupLeavesItUsable) {
  {
    Cgroup group = take();
    ASSERT_TRUE(group.freeze(soon()).has_value());
  }
  const Cgroup group = take();
  Payload payload{group, [] {}};
  EXPECT_EQ(payload.end(), 0) << "it could run and end";
}

TEST_P(CgroupPoolOn, MakesFurtherGroupsAndRemovesThoseAboveTheReserve) {
  {
    std::vector<Cgroup> groups;
    for (int i = 0; i < 5; ++i) groups.push_back(take());
    for (const std::string& directory : directories_) EXPECT_TRUE(fs::exists(directory + "/c4"));
  }
  for (const std::string& directory : directories_) {
    int left = 0;
    for (const auto& entry : fs::directory_iterator{directory}) left += entry.is_directory();
    EXPECT_EQ(left, 2) << directory;
  }
}

TEST_P(CgroupPoolOn, CountsOnlyThePresentUser) {
  for (int i = 0; i < 2; ++i) {
    const Cgroup group = take();
    EXPECT_EQ(group.stats()->cpu_total.value_or(std::chrono::nanoseconds{0}).count(), 0);
    // Of processor time, so that a busy machine changes nothing; and long beside what it costs a
    // sanitizer to copy its pages.
    Payload payload{group, [] {
                      while (std::clock() < CLOCKS_PER_SEC / 10) continue;
                    }};
    payload.end();
    const auto stats = group.stats();
    ASSERT_TRUE(stats.has_value()) << stats.error().message();
    EXPECT_GT(*stats->cpu_total, std::chrono::milliseconds{90});
    EXPECT_LT(*stats->cpu_total, std::chrono::milliseconds{180});
    EXPECT_EQ(stats->pids_current, limits_pids() ? std::optional<std::uint64_t>{0} : std::nullopt);
    EXPECT_EQ(stats->memory_peak.has_value(), limits_memory() && (i == 0 || resets_peak()));
  }
}

TEST_P(CgroupPoolOn, CountsAnOomKillOfThePresentUserOnly) {
  if (!limits_memory()) GTEST_SKIP() << "needs a memory controller";
  {
    const Cgroup group = take({.memory_max = 4U << 20U});
    Payload payload{group, [] {
                      constexpr std::size_t size = 64U << 20U;
                      (void)::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
                      Payload::wait_for_death();
                    }};
    EXPECT_EQ(payload.end(), SIGKILL);
    // KERNEL: v2 counts a victim by itself, and again with its group (memory.oom.group).
    EXPECT_GE(group.oom_kills(), 1U);
    EXPECT_LE(group.oom_kills(), 2U);
    EXPECT_GT(*group.stats()->memory_peak, 1U << 20U);
  }
  const Cgroup group = take();
  EXPECT_EQ(group.oom_kills(), 0U);
  EXPECT_EQ(group.stats()->memory_peak.has_value(), resets_peak());
  EXPECT_LT(group.stats()->memory_peak.value_or(0), 1U << 20U) << "the peak of the user before";
}

/// A tenth of a CPU.
constexpr Resources tight_quota{.cpu_quota = std::chrono::microseconds{1000},
                                .cpu_period = std::chrono::microseconds{10'000}};
/// Under that quota it is throttled many times: on a busy machine a few go by without.
void burn_twenty_milliseconds_of_quota() {
  timespec used{};
  do ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  while (used.tv_nsec < 20'000'000);
}

TEST_P(CgroupPoolOn, CountsThrottlingOfThePresentUserOnly) {
  const Resources& tight = tight_quota;
  if (!pool_->take(tight)) GTEST_SKIP() << "needs a cpu controller";
  const auto throttled = [&](const Resources& resources) {
    const Cgroup group = take(resources);
    EXPECT_EQ(group.stats()->cpu_throttled.value_or(std::chrono::nanoseconds{1}).count(), 0);
    Payload payload{group, burn_twenty_milliseconds_of_quota};
    payload.end();
    return group.stats()->cpu_throttled.value_or(std::chrono::nanoseconds{0}).count();
  };
  EXPECT_GT(throttled(tight), 0);
  EXPECT_EQ(throttled({}), 0) << "its counter is not read on giving back";
  EXPECT_EQ(throttled({}), 0);
  EXPECT_GT(throttled(tight), 0);
  EXPECT_EQ(throttled({}), 0);
}

TEST_P(CgroupPoolOn, CountsThrottlingByAQuotaThatWasLiftedBeforeTheEnd) {
  const Resources& tight = tight_quota;
  if (!pool_->take(tight)) GTEST_SKIP() << "needs a cpu controller";
  {
    Cgroup group = take();
    ASSERT_TRUE(group.limit(tight).has_value());
    Payload payload{group, burn_twenty_milliseconds_of_quota};
    payload.end();
    ASSERT_TRUE(group.limit({}).has_value());
    EXPECT_GT(group.stats()->cpu_throttled->count(), 0);
  }
  EXPECT_EQ(take().stats()->cpu_throttled->count(), 0);
}

/// Runs `work` in a copy of this program, as a user of the library may; whether it returned true.
bool in_forked_copy(const std::function<bool()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(work() ? 0 : 1);
  int status = -1;
  return ::waitpid(pid, &status, 0) == pid && status == 0;
}

TEST_P(CgroupPoolOn, InAForkedCopyNothingIsKilledOrRemoved) {
  std::optional<Cgroup> group = take();
  std::optional<Cgroup> frozen = take();
  Payload payload{*group};
  ASSERT_TRUE(payload.is_ready());
  ASSERT_TRUE(frozen->freeze(soon()).has_value());
  const std::string freezer = read("c1", "freezer.state") + read("c1", "cgroup.freeze");
  EXPECT_TRUE(in_forked_copy([&] {
    group.reset();
    frozen.reset();
    pool_.reset();
    return true;
  }));
  EXPECT_FALSE(payload.is_dead());
  EXPECT_EQ(read("c1", "freezer.state") + read("c1", "cgroup.freeze"), freezer);
  for (const std::string& directory : directories_)
    EXPECT_EQ(contents(directory + "/c0/cgroup.procs"), std::to_string(payload.pid()) + "\n");
  frozen.reset();
  EXPECT_TRUE(Payload{take()}.is_ready()) << "the owner's pool works on";
}

TEST_P(CgroupPoolOn, EndsWithPayloadsStillRunning) {
  const auto procs = sys::open(sys::cwd, directories_[0] + "/c1/cgroup.procs", O_WRONLY);
  ASSERT_TRUE(procs.has_value());
  const int fds[]{procs->get()};
  Payload payload{FdRef{}, fds, Payload::wait_for_death};
  const Payload bystander{FdRef{}, {}, Payload::wait_for_death};
  pool_.reset();
  EXPECT_EQ(payload.end(), SIGKILL);
  EXPECT_FALSE(bystander.is_dead());
}

INSTANTIATE_TEST_SUITE_P(Backend, CgroupPoolOn,
                         testing::Values(Machine{"v2", CgroupBackend::v2, everything},
                                         Machine{"v1", CgroupBackend::v1, everything},
                                         Machine{"hybrid", CgroupBackend::hybrid, everything},
                                         Machine{"hybrid_of_an_old_kernel", CgroupBackend::hybrid,
                                                 nothing}),
                         [](const auto& parameter) { return std::string{parameter.param.name}; });

}  // namespace
}  // namespace sock::isolation
