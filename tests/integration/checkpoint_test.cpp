// Snapshots of containers: what comes back, how often, and what is refused.

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "host_fixture.hpp"

namespace sock::test {
namespace {

using namespace std::chrono_literals;

// Sets up what a process can have, says "ready", and answers each line of its input with what has
// become of all that.
constexpr const char* program = R"py(
import os, queue, select, signal, socket, sys, threading, time
state = {}
open('/tmp/kept', 'w').write('kept')
deleted = open('/tmp/deleted', 'w+'); deleted.write('deleted'); deleted.flush(); os.unlink('/tmp/deleted')
memory = os.memfd_create('memory'); os.write(memory, b'memory')
reader, writer = os.pipe(); os.write(writer, b'in the pipe')
left, right = socket.socketpair(); left.send(b'in the socket')
server = socket.socket(socket.AF_UNIX); server.bind('/tmp/server'); server.listen(4)
epoll = select.epoll(); epoll.register(reader, select.EPOLLIN)
signal.signal(signal.SIGUSR1, lambda *_: state.update(usr1=True))
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
signal.setitimer(signal.ITIMER_REAL, 1.5)
child_in, to_child = os.pipe(); from_child, child_out = os.pipe()
if os.fork() == 0:
    while os.read(child_in, 1): os.write(child_out, b'child')
    os._exit(0)
questions, answers = queue.Queue(), queue.Queue()
def thread():
    while True: answers.put(questions.get() + 1)
threading.Thread(target=thread, daemon=True).start()
os.chdir('/tmp')
start = time.monotonic()
print('ready', flush=True)
for line in sys.stdin:
    if line == 'what\n':
        os.lseek(memory, 0, 0); deleted.seek(0)
        os.write(to_child, b'x')
        client = socket.socket(socket.AF_UNIX); client.connect('/tmp/server')
        questions.put(41)
        os.kill(os.getpid(), signal.SIGUSR1)
        print(open('/tmp/kept').read(), deleted.read(), os.read(memory, 9).decode(),
              [fd for fd, _ in epoll.poll(0)] == [reader], os.read(reader, 99).decode(),
              right.recv(99).decode(), os.read(from_child, 9).decode(), os.getcwd(),
              answers.get(timeout=20), state.get('usr1'), 0 < time.monotonic() - start < 60, sep='|', flush=True)
    elif line == 'alarm\n':
        print(signal.sigwait({signal.SIGALRM}).name, flush=True)
    else:
        print(line.strip(), flush=True)
)py";
constexpr const char* all_of_it =
    "kept|deleted|memory|True|in the pipe|in the socket|child|/tmp|42|True|True\n";

/// A container and the other ends of its pipes.
struct Talker {
  Container container;
  UniqueFd to;
  UniqueFd from;

  std::string ask(const std::string& line) {
    const std::string text = line + "\n";
    if (::write(to.get(), text.data(), text.size()) < 0) return "gone";
    return read_until(from, "\n");
  }
};

class Checkpoint : public HostTest {
 protected:
  void SetUp() override {
    HostTest::SetUp();
    if (is_rootless()) GTEST_SKIP() << "snapshots need a Host with root";
    if (!has_cgroups()) GTEST_SKIP() << "snapshots need cgroups";
    if (!is_tested_with("detached_roots")) GTEST_SKIP() << "snapshots need Linux 6.15";
    auto opened = SnapshotStore::open({.directory = scratch() + "/snapshots"});
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    store_.emplace(std::move(*opened));
  }

  SnapshotStore& store() { return *store_; }

  ContainerSpec talker_spec(const std::string& name) {
    ContainerSpec spec = shell("");
    spec.name = name;
    spec.argv = {"python3", "-c", program};
    spec.checkpointable = true;
    return spec;
  }
  Talker start(ContainerSpec spec) {
    TestPipe in = make_pipe();
    TestPipe out = make_pipe();
    spec.stdio = {.in = in.reader, .out = out.writer};
    auto container = host().create(spec);
    EXPECT_TRUE(container.has_value()) << container.error().message();
    Talker talker{std::move(*container), std::move(in.writer), std::move(out.reader)};
    EXPECT_EQ(read_until(talker.from, "\n"), "ready\n");
    return talker;
  }
  static Result<Talker> restore(Host& host, const SnapshotInUse& snapshot, RestoreOptions options) {
    TestPipe in = make_pipe();
    TestPipe out = make_pipe();
    options.stdio = {.in = in.reader, .out = out.writer};
    auto container = host.restore(snapshot, options);
    if (!container.has_value()) return std::unexpected(container.error());
    return Talker{std::move(*container), std::move(in.writer), std::move(out.reader)};
  }
  Talker restore(const std::string& snapshot, const std::string& name) {
    auto used = store().use(snapshot);
    EXPECT_TRUE(used.has_value()) << used.error().message();
    auto restored = restore(host(), *used, {.name = name});
    EXPECT_TRUE(restored.has_value()) << restored.error().message();
    return std::move(*restored);
  }
  Snapshot checkpoint(Container& container, const CheckpointOptions& options) {
    auto written = container.checkpoint(store(), options);
    EXPECT_TRUE(written.has_value()) << written.error().message();
    return written.value_or(Snapshot{});
  }
  Error checkpoint_error(Container& container, const CheckpointOptions& options) {
    auto written = container.checkpoint(store(), options);
    EXPECT_FALSE(written.has_value());
    EXPECT_TRUE(std::filesystem::is_empty(scratch() + "/snapshots/staging"));
    return written.has_value() ? Error{} : written.error();
  }

 private:
  std::optional<SnapshotStore> store_;
};

std::string link_of(pid_t pid, const std::string& name) {
  return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/" + name);
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

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

TEST_F(Checkpoint, RefusesDamagedSnapshots) {
  Talker original = start(talker_spec("original"));
  checkpoint(original.container, {.name = "snap"});
  const std::filesystem::path snapshot = scratch() + "/snapshots/snapshots/snap";
  std::vector<std::filesystem::path> files{snapshot / "manifest", snapshot / "digest"};
  for (const auto& file : std::filesystem::directory_iterator{snapshot / "images"})
    files.push_back(file.path());
  ASSERT_GT(files.size(), 10U);
  for (const auto& file : files) {
    const std::string content = read_text(file);
    const auto damage = [&](const std::string& what, const std::string& damaged) {
      std::ofstream{file, std::ios::trunc} << damaged;
      const auto used = store().use("snap");
      ASSERT_FALSE(used.has_value()) << file << ": " << what;
      EXPECT_EQ(used.error().code, Errc::corrupt) << file << ": " << used.error().message();
      const auto verified = store().verify("snap");
      EXPECT_TRUE(verified.has_value() && !verified->ok()) << file << ": " << what;
    };
    std::string flipped = content;
    if (!flipped.empty()) flipped[flipped.size() / 2] ^= 1;
    if (!flipped.empty()) damage("a flipped bit", flipped);
    if (!content.empty()) damage("cut off", content.substr(0, content.size() / 2));
    damage("longer", content + "x");
    std::ofstream{file, std::ios::trunc} << content;
    ASSERT_TRUE(store().use("snap").has_value()) << file;
  }
  std::ofstream{snapshot / "images" / "extra"} << "x";
  EXPECT_EQ(store().use("snap").error().code, Errc::corrupt);
  std::filesystem::remove(snapshot / "images" / "extra");
  std::filesystem::remove(files.back());
  EXPECT_EQ(store().use("snap").error().code, Errc::corrupt);
  // The list still shows the others.
  std::ofstream{snapshot / "manifest", std::ios::trunc} << "{}";
  const auto listed = store().list();
  ASSERT_TRUE(listed.has_value() && listed->size() == 1);
  EXPECT_FALSE(listed->front().problem.empty());
  EXPECT_TRUE(store().remove("snap").has_value());
  EXPECT_EQ(store().find("snap").error().code, Errc::not_found);
}

TEST_F(Checkpoint, SaysWhyItCannot) {
  auto plain = host().create(shell("exec sleep 60"));
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(checkpoint_error(*plain, {.name = "snap"}).code, Errc::invalid_spec);
  Talker talker = start(talker_spec("talker"));
  Container& container = talker.container;
  EXPECT_EQ(checkpoint_error(container, {.name = "../snap"}).code, Errc::invalid_spec);
  ASSERT_TRUE(container.pause().has_value());
  EXPECT_NE(checkpoint_error(container, {.name = "snap"}).hint.find("paused"), std::string::npos);
  ASSERT_TRUE(container.resume().has_value());
  auto process = container.exec({.argv = {"sleep", "60"}});
  ASSERT_TRUE(process.has_value());
  EXPECT_NE(checkpoint_error(container, {.name = "snap"}).hint.find("exec()"), std::string::npos);
  ASSERT_TRUE(process->signal(SIGKILL).has_value());
  ASSERT_TRUE(process->wait().has_value());
  checkpoint(container, {.name = "snap"});
  EXPECT_EQ(checkpoint_error(container, {.name = "snap"}).code, Errc::exists);
  auto used = store().use("snap");
  ASSERT_TRUE(used.has_value());
  EXPECT_EQ(restore(host(), *used, {.name = "talker"}).error().code, Errc::exists);
  EXPECT_EQ(store().remove("snap").error().code, Errc::exhausted);  // In use.
  EXPECT_EQ(talker.ask("what"), all_of_it);
  ASSERT_TRUE(container.kill().has_value());
  EXPECT_EQ(checkpoint_error(container, {.name = "late"}).code, Errc::closed);
}

TEST_F(Checkpoint, NamesTheDescriptorThatNoSnapshotHolds) {
  ContainerSpec spec = talker_spec("rings");
  auto policy = SeccompPolicy::Builder{SeccompPolicy::Builder::Base::handler}
                    .allow(unsafe::AllowIoUring{})
                    .compile();
  ASSERT_TRUE(policy.has_value());
  spec.seccomp = *policy;
  constexpr const char* make_ring =
      "import ctypes; buffer = ctypes.create_string_buffer(120)\n"
      "assert ctypes.CDLL(None).syscall(425, 8, buffer) >= 0\n"
      "print('ready', flush=True); input()";
  spec.argv = {"python3", "-c", make_ring};
  Talker talker = start(spec);
  const Error error = checkpoint_error(talker.container, {.name = "snap"});
  EXPECT_EQ(error.code, Errc::unsupported);
  EXPECT_NE(error.subject.find("descriptor 3 (anon_inode:[io_uring])"), std::string::npos)
      << error.message();
}

TEST_F(Checkpoint, KeepsAContainerWhereCriuIsMissing) {
  HostOptions options = host_options(scratch() + "/other");
  options.criu = scratch() + "/no-criu";
  auto other = Host::open(options);
  ASSERT_TRUE(other.has_value());
  ContainerSpec spec = shell("exec sleep 60");
  spec.checkpointable = true;
  auto container = other->create(spec);
  ASSERT_TRUE(container.has_value()) << container.error().message();
  EXPECT_EQ(checkpoint_error(*container, {.name = "snap"}).code, Errc::not_found);
  EXPECT_FALSE(container->wait_until(std::chrono::steady_clock::now())->has_value());
}

TEST_F(Checkpoint, TheDoctorAsksCriuItself) {
  const auto outcome = [](const HostOptions& options) {
    for (const auto& each : check(options))
      if (each.name == "criu") return each;
    return Check{};
  };
  HostOptions options = host_options(scratch() + "/other");
  const Check works = outcome(options);
  EXPECT_EQ(works.outcome, Check::Outcome::ok) << works.detail;
  EXPECT_TRUE(works.detail.starts_with("CRIU ")) << works.detail;
  options.criu = scratch() + "/no-criu";
  EXPECT_EQ(outcome(options).detail, "missing");
  options.criu = "/bin/true";
  EXPECT_EQ(outcome(options).outcome, Check::Outcome::degraded);
}

// One that answers nothing, and one that is gone at once: nothing is left of either.
TEST_F(Checkpoint, EndsWithCriuThatHangsOrDies) {
  // Not below /tmp, which is CRIU's own while it restores.
  const std::string fake = "/var/tmp/sock-fake-criu-" + std::to_string(::getpid());
  for (const std::string script : {"#!/bin/sh\nexec sleep 60\n", "#!/bin/sh\nkill -9 $$\n"}) {
    std::ofstream{fake, std::ios::trunc} << script;
    std::filesystem::permissions(fake, std::filesystem::perms::owner_all);
    HostOptions options = host_options(scratch() + "/other");
    options.criu = fake;
    auto other = Host::open(options);
    ASSERT_TRUE(other.has_value());
    Talker talker = start(talker_spec("talker"));
    checkpoint(talker.container, {.name = "snap"});
    const bool hangs = script.find("sleep") != std::string::npos;
    const Errc expected = hangs ? Errc::timed_out : Errc::launch_failed;
    {
      const auto used = store().use("snap");
      const auto restored = restore(*other, *used, {.name = "restored", .deadline = 300ms});
      EXPECT_EQ(restored.error().code, expected) << restored.error().message();
    }
    ASSERT_TRUE(store().remove("snap").has_value());
    ContainerSpec spec = shell("exec sleep 60");
    spec.checkpointable = true;
    auto container = other->create(spec);
    ASSERT_TRUE(container.has_value());
    EXPECT_EQ(checkpoint_error(*container, {.name = "snap", .deadline = 300ms}).code, expected);
  }
  std::filesystem::remove(fake);
}

// CRIU makes deleted files again by their paths; a link on the way must not lead out of the
// container.
TEST_F(Checkpoint, KeepsDeletedFilesInsideWhateverThePayloadHasPutInTheirPlace) {
  const std::string victim = "/var/tmp/sock-victim-" + std::to_string(::getpid());
  std::filesystem::create_directory(victim);
  ContainerSpec spec = shell("");
  spec.checkpointable = true;
  spec.argv = {
      "python3", "-c",
      "import os, sys\n"
      "os.makedirs('/tmp/s/d'); f = open('/tmp/s/d/f', 'w+'); f.write('ghost'); f.flush()\n"
      "os.unlink('/tmp/s/d/f'); os.rmdir('/tmp/s/d'); os.symlink('" +
          victim + "', '/tmp/s/d')\nprint('ready', flush=True)\nsys.stdin.read()"};
  Talker original = start(spec);
  EXPECT_EQ(checkpoint_error(original.container, {.name = "snap"}).subject,
            "the deleted file /tmp/s/d/f");
  EXPECT_FALSE(original.container.wait_until(std::chrono::steady_clock::now())->has_value());
  std::filesystem::remove_all(victim);
}

TEST_F(Checkpoint, GivesPipesForPipesAndNothingElse) {
  Talker original = start(talker_spec("original"));
  checkpoint(original.container, {.name = "snap"});
  const auto used = store().use("snap");
  ASSERT_TRUE(used.has_value());
  const TestPipe pipe = make_pipe();
  const UniqueFd file{::open((scratch() + "/log").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600)};
  const auto refused = [&](const Stdio& stdio) {
    const auto restored = host().restore(*used, {.name = "restored", .stdio = stdio});
    return restored.has_value() ? "" : restored.error().subject;
  };
  EXPECT_EQ(refused({.in = pipe.reader}), "descriptor stdout");
  EXPECT_EQ(refused({.in = pipe.reader, .out = file}), "descriptor stdout");
  ContainerSpec spec = shell("exec sleep 60");
  spec.name = "logging";
  spec.checkpointable = true;
  spec.stdio.out = file;
  auto logging = host().create(spec);
  ASSERT_TRUE(logging.has_value());
  EXPECT_TRUE(checkpoint_error(*logging, {.name = "log"}).subject.starts_with("stdout ("));
}

TEST_F(Checkpoint, KeepsTheLimitsAsTheyAreNow) {
  Talker original = start(talker_spec("original"));
  if (!original.container.stats()->pids_current) GTEST_SKIP() << "no controller for pids";
  ASSERT_TRUE(original.container.update({.pids_max = 33}).has_value());
  EXPECT_EQ(checkpoint(original.container, {.name = "snap"}).spec.resources.pids_max, 33U);
}

TEST_F(Checkpoint, RefusesASnapshotWhoseRootIsGone) {
  std::filesystem::create_directory(scratch() + "/bound");
  ContainerSpec spec = talker_spec("original");
  spec.rootfs.binds = {{.source = scratch() + "/bound", .target = "/bound"}};
  Talker original = start(spec);
  checkpoint(original.container, {.name = "snap"});
  std::filesystem::remove(scratch() + "/bound");
  const auto used = store().use("snap");
  ASSERT_TRUE(used.has_value());
  const auto restored = restore(host(), *used, {.name = "restored"});
  ASSERT_FALSE(restored.has_value());
  EXPECT_EQ(restored.error().code, Errc::not_found) << restored.error().message();
}

TEST_F(Checkpoint, IsRefusedBeforehandWhereNoSnapshotCouldHoldIt) {
  const auto refused = [&](ContainerSpec spec) {
    spec.checkpointable = true;
    EXPECT_EQ(create_error(spec).code, Errc::invalid_spec);
  };
  ContainerSpec spec = shell("");
  spec.namespaces.network = Network::host(unsafe::HostNetwork{});
  refused(spec);
  spec = shell("");
  spec.namespaces.user =
      UserNamespace{.uids = {{0, 100'000, 65'536}}, .gids = {{0, 100'000, 65'536}}};
  refused(spec);
  spec = shell("");
  spec.stdio.terminal = Terminal{};
  refused(spec);
  spec = shell("");
  spec.namespaces.shared = unsafe::Shared::ipc;
  refused(spec);
  spec = shell("");
  spec.identity.capabilities = {unsafe::Capability{"cap_sys_admin"}};
  refused(spec);
}

}  // namespace
}  // namespace sock::test
