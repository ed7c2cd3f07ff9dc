// Snapshots of containers: what comes back, and how often.

#include <algorithm>
#include <array>
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
TEST_F(Checkpoint, KeepsTheLimitsAsTheyAreNow) {
  Talker original = start(talker_spec("original"));
  if (!original.container.stats()->pids_current) GTEST_SKIP() << "no controller for pids";
  ASSERT_TRUE(original.container.update({.pids_max = 33}).has_value());
  EXPECT_EQ(checkpoint(original.container, {.name = "snap"}).spec.resources.pids_max, 33U);
}

}  // namespace
}  // namespace sock::test
