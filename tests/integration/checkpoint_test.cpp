// Snapshots of containers: what comes back, and how often.

#include <algorithm>
#include <array>
#include <set>
#include <sstream>
#include <thread>

#include <signal.h>

#include "checkpoint_fixture.hpp"

namespace sock::test {
namespace {

using namespace std::chrono_literals;

TEST_F(Checkpoint, BringsBackAllThatAProcessHas) {
  Talker original = start(talker_spec("original"));
  const Snapshot written = checkpoint(original.container, {.name = "snap", .origins = {"app:v1"}});
  EXPECT_EQ(written.processes, 3U);  // init, Python, its child
  EXPECT_GT(written.bytes, 1U << 20U);
  EXPECT_EQ(written.origins, std::vector<std::string>{"app:v1"});
  EXPECT_EQ(written.spec.argv[0], "python3");
  // It ran on, and nothing of it was changed.
  EXPECT_EQ(original.ask("what"), all_of_it);
  ASSERT_TRUE(original.container.kill().has_value());
  Talker restored = restore("snap", "restored");
  EXPECT_EQ(restored.ask("what"), all_of_it);
  EXPECT_EQ(restored.ask("alarm"), "SIGALRM\n");
  restored.to.reset();
  EXPECT_EQ(*restored.container.wait(), (ExitStatus{ExitStatus::Kind::exited, 0}));
}

TEST_F(Checkpoint, StopsBetweenTwoStatements) {
  ContainerSpec spec = shell("i=0; echo ready; while read x; do i=$((i+1)); echo $i; done");
  spec.checkpointable = true;
  spec.init = Init::none;
  Talker original = start(spec);
  EXPECT_EQ(original.ask(""), "1\n");
  checkpoint(original.container, {.name = "snap", .after = CheckpointOptions::After::stop});
  EXPECT_EQ(*original.container.wait(), (ExitStatus{ExitStatus::Kind::signaled, SIGKILL}));
  for (const char* const name : {"first", "second"})
    EXPECT_EQ(restore("snap", name).ask(""), "2\n");
}

TEST_F(Checkpoint, MakesContainersLikeAnyOther) {
  Talker original = start(talker_spec("original"));
  checkpoint(original.container, {.name = "snap"});
  auto used = store().use("snap");
  ASSERT_TRUE(used.has_value()) << used.error().message();
  const bool limits_memory = original.container.stats()->memory_current.has_value();
  RestoreOptions options{.name = "restored"};
  if (limits_memory) options.resources = Resources{.memory_max = 300U << 20U, .pids_max = 40};
  auto made = restore(host(), *used, options);
  ASSERT_TRUE(made.has_value()) << made.error().message();
  Container& restored = made->container;
  EXPECT_EQ(restored.name(), "restored");
  EXPECT_EQ(restored.timings().back().stage, Stage::restore);
  const auto stats = restored.stats();
  ASSERT_TRUE(stats.has_value()) << stats.error().message();
  if (limits_memory) {
    EXPECT_GT(stats->memory_current.value_or(0), 0U);
  }
  ASSERT_TRUE(restored.pause().has_value());
  ASSERT_TRUE(restored.resume().has_value());
  TestPipe out = make_pipe();
  auto process = restored.exec(
      {.argv = {"sh", "-c", "cat /tmp/kept; hostname; id -u"}, .stdio = {.out = out.writer}});
  ASSERT_TRUE(process.has_value()) << process.error().message();
  out.writer.reset();
  EXPECT_EQ(drain(out.reader), "keptsock\n65534\n");
  EXPECT_TRUE(process->wait()->ok());
  ASSERT_TRUE(restored.signal(SIGTERM).has_value());
  EXPECT_EQ(*restored.wait(), (ExitStatus{ExitStatus::Kind::signaled, SIGTERM}));
  // A snapshot of what came from a snapshot.
  Talker again = restore("snap", "again");
  checkpoint(again.container, {.name = "second"});
  EXPECT_EQ(restore("second", "third").ask("what"), all_of_it);
}

// As most images have it.
TEST_F(Checkpoint, HoldsARootWhoseImageHasATmpOfItsOwn) {
  namespace fs = std::filesystem;
  const fs::path image = fs::path{scratch()} / "image";
  for (const char* const dir : {"usr", "tmp", "root"}) fs::create_directories(image / dir);
  for (const char* const link : {"bin", "lib", "lib64", "sbin"})
    fs::create_symlink(std::string{"usr/"} + link, image / link);
  ContainerSpec spec =
      shell("echo x > /tmp/kept; echo ready; while read x; do cat /tmp/kept; done");
  spec.name = "original";
  spec.rootfs.base = image;
  spec.rootfs.binds = {{.source = "/usr", .target = "/usr"}};
  spec.checkpointable = true;
  Talker original = start(spec);
  checkpoint(original.container, {.name = "snap", .after = CheckpointOptions::After::stop});
  EXPECT_EQ(restore("snap", "restored").ask(""), "x\n");
}

// What confines a payload, as the kernel tells it of the payload itself.
std::string confinement(const Container& container) {
  const std::string children = read_text("/proc/" + std::to_string(container.pid()) + "/task/" +
                                         std::to_string(container.pid()) + "/children");
  const std::string proc = "/proc/" + std::to_string(std::stoi(children));
  std::istringstream status{read_text(proc + "/status")};
  std::string all;
  for (std::string line; std::getline(status, line);)
    for (const char* const word : {"Uid", "Gid", "Groups", "Cap", "NoNewPrivs", "Seccomp", "Umask"})
      if (line.starts_with(word)) all += line + "\n";
  all += read_text(proc + "/limits");
  std::istringstream mounts{read_text(proc + "/mountinfo")};
  std::vector<std::string> lines;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words{line};
    std::string word;
    std::string kept;
    // The numbers of mounts and devices differ; place, flags and type may not.
    for (int number = 0; words >> word; ++number)
      if (number > 2) kept += word + " ";
    lines.push_back(kept);
  }
  std::ranges::sort(lines);
  for (const auto& line : lines) all += line + "\n";
  for (const auto& file : std::filesystem::directory_iterator{proc + "/fd"})
    all += file.path().filename().string() + " ";
  return all;
}

TEST_F(Checkpoint, ConfinesWhatIsRestoredAsBefore) {
  ContainerSpec spec = talker_spec("original");
  spec.rlimits = {{"nofile", 99}, {"fsize", 1U << 24U}};
  spec.identity.groups = {1001, 1002};
  Talker original = start(spec);
  checkpoint(original.container, {.name = "snap"});
  Talker restored = restore("snap", "restored");
  EXPECT_EQ(confinement(restored.container), confinement(original.container));
  for (const char* const ns : {"ns/pid", "ns/ipc", "ns/uts", "ns/net", "ns/mnt", "ns/cgroup"}) {
    EXPECT_NE(link_of(restored.container.pid(), ns), link_of(original.container.pid(), ns));
    EXPECT_NE(link_of(restored.container.pid(), ns), link_of(::getpid(), ns)) << ns;
  }
  const std::string groups = "/proc/" + std::to_string(restored.container.pid()) + "/cgroup";
  EXPECT_NE(read_text(groups),
            read_text("/proc/" + std::to_string(original.container.pid()) + "/cgroup"));
}

TEST_F(Checkpoint, RestoresManyAtOnceAndElsewhere) {
  Talker original = start(talker_spec("original"));
  checkpoint(original.container, {.name = "snap"});
  ASSERT_TRUE(original.container.kill().has_value());
  auto other = Host::open(host_options(scratch() + "/other"));
  ASSERT_TRUE(other.has_value()) << other.error().message();
  const auto used = store().use("snap");
  ASSERT_TRUE(used.has_value()) << used.error().message();
  constexpr int count = 8;
  std::array<std::string, count> answers;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < count; ++i)
      threads.emplace_back([&, i] {
        auto restored =
            restore(*other, *used, {.name = "copy" + std::to_string(i), .deadline = 60s});
        answers[i] = restored.has_value() ? restored->ask("what") : restored.error().message();
      });
  }
  for (const auto& answer : answers) EXPECT_EQ(answer, all_of_it);
  // It was not changed by any of them.
  const auto verified = store().verify("snap");
  ASSERT_TRUE(verified.has_value());
  EXPECT_TRUE(verified->ok()) << verified->problems.front();
}

// Says what its clocks show, and how much of a long timer is over.
constexpr const char* clock_program = R"py(
import ctypes, os, sys, time
libc = ctypes.CDLL(None)
Timer = ctypes.c_long * 4  # Seconds and nanoseconds, of the interval and of the time that is left.
def timer(seconds, nanoseconds):
    fd = libc.timerfd_create(time.CLOCK_MONOTONIC, 0)
    assert libc.timerfd_settime(fd, 0, Timer(0, 0, seconds, nanoseconds), None) == 0
    return fd
long, short = timer(1000, 0), timer(1, 500_000_000)
def over():
    now = Timer()
    assert libc.timerfd_gettime(long, now) == 0
    return 1000 * 10**9 - now[2] * 10**9 - now[3]
print('ready', flush=True)
for line in sys.stdin:
    if line == 'clocks\n':
        print(time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME), over(), flush=True)
    else:
        print(int.from_bytes(os.read(short, 8), sys.byteorder), flush=True)
)py";

using Clocks =
    std::array<std::chrono::nanoseconds, 3>;  // CLOCK_MONOTONIC, CLOCK_BOOTTIME, the timer

Clocks clocks_of(Talker& talker) {
  std::istringstream words{talker.ask("clocks")};
  Clocks clocks{};
  for (auto& clock : clocks) {
    std::int64_t count = -1;
    words >> count;
    clock = std::chrono::nanoseconds{count};
  }
  return clocks;
}

TEST_F(Checkpoint, StopsItsClocksUntilItIsRestored) {
  using std::chrono::steady_clock;
  ContainerSpec spec = talker_spec("original");
  spec.argv = {"python3", "-c", clock_program};
  Talker original = start(spec);
  const auto begin = steady_clock::now();
  const Clocks before = clocks_of(original);
  checkpoint(original.container, {.name = "snap", .after = CheckpointOptions::After::stop});
  const auto written = steady_clock::now();
  while (steady_clock::now() < written + 2s) ASSERT_TRUE(store().verify("snap")->ok());
  const auto away = steady_clock::now() - written;
  Talker restored = restore("snap", "restored");
  const Clocks after = clocks_of(restored);
  const auto ran_at_most = steady_clock::now() - begin - away;
  for (std::size_t each = 0; each < after.size(); ++each) {
    EXPECT_GT(before[each].count(), 0) << each;
    EXPECT_GT(after[each], before[each]) << each;
    EXPECT_LE(after[each] - before[each], ran_at_most) << each;
  }
  EXPECT_EQ(restored.ask("tick"), "1\n");
  EXPECT_NE(link_of(restored.container.pid(), "ns/time"), link_of(::getpid(), "ns/time"));
  // What is started in it now has the machine's clocks (docs/snapshots.md).
  TestPipe out = make_pipe();
  auto process = restored.container.exec(
      {.argv = {"python3", "-c", "import time; print(time.monotonic_ns(), flush=True)"},
       .stdio = {.out = out.writer}});
  ASSERT_TRUE(process.has_value()) << process.error().message();
  out.writer.reset();
  EXPECT_GE(std::chrono::nanoseconds{std::stoll(drain(out.reader))}, after[0] + away);
  EXPECT_TRUE(process->wait()->ok());
}

// Nothing makes their random generators new (docs/snapshots.md): what is drawn from the kernel
// differs, and what a process draws from its own memory does not.
TEST_F(Checkpoint, MakesCopiesThatShareTheirRandomGenerators) {
  ContainerSpec spec = talker_spec("original");
  spec.argv = {"python3", "-c",
               "import os, random, ssl, sys, uuid\n"
               "random.random(); ssl.RAND_bytes(16); uuid.uuid4()\n"
               "print('ready', flush=True)\n"
               "for line in sys.stdin:\n"
               "    print(random.random(), ssl.RAND_bytes(16).hex(), os.urandom(16).hex(),\n"
               "          uuid.uuid4(), flush=True)\n"};
  Talker original = start(spec);
  checkpoint(original.container, {.name = "snap"});
  std::array<std::set<std::string>, 4> drawn;
  const auto draw = [&](Talker& talker) {
    std::istringstream words{talker.ask("")};
    for (auto& each : drawn) {
      std::string word;
      EXPECT_TRUE(words >> word);
      each.insert(word);
    }
  };
  draw(original);
  for (const char* const name : {"first", "second"}) {
    Talker copy = restore("snap", name);
    draw(copy);
  }
  // If these differ now, the documentation can promise more.
  EXPECT_EQ(drawn[0].size(), 1U) << "random.random()";
  EXPECT_EQ(drawn[1].size(), 1U) << "ssl.RAND_bytes()";
  EXPECT_EQ(drawn[2].size(), 3U) << "os.urandom()";
  EXPECT_EQ(drawn[3].size(), 3U) << "uuid.uuid4()";
}

TEST_F(Checkpoint, KeepsTheLimitsAsTheyAreNow) {
  Talker original = start(talker_spec("original"));
  if (!original.container.stats()->pids_current) GTEST_SKIP() << "no controller for pids";
  ASSERT_TRUE(original.container.update({.pids_max = 33}).has_value());
  EXPECT_EQ(checkpoint(original.container, {.name = "snap"}).spec.resources.pids_max, 33U);
}

}  // namespace
}  // namespace sock::test
