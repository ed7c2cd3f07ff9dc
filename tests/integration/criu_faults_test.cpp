// A CRIU that hangs, dies, or fails in the middle: its container lives on or is gone, as the error
// says, nothing of CRIU is left, and the next time works.

#include <functional>
#include <sstream>
#include <stdexcept>
#include <vector>

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "checkpoint_fixture.hpp"
#include "few_descriptors.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

bool becomes_true(const std::function<bool()>& condition) {
  const auto deadline = in(10s);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    ::poll(nullptr, 0, 20);  // Nothing announces what other processes leave behind.
  }
  return true;
}

/// A script that stands between: it passes on what we and CRIU say, but not that CRIU has stopped
/// and written the container. CRIU looks for our directories in the process that it talks to.
constexpr const char* says_nothing_when_it_has_written = R"sh(
exec python3 -Ic '
import contextlib, fcntl, os, signal, socket, sys
def moved(file): return socket.socket(fileno=fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 500))
ours = moved(3)
here, there = map(moved, socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
for name in os.listdir(f"/proc/{os.getppid()}/fd"):
    with contextlib.suppress(OSError):
        path = f"/proc/{os.getppid()}/fd/{name}"
        os.dup2(os.open(path, os.O_RDONLY | os.O_DIRECTORY), int(name), inheritable=False)
if os.fork() == 0:
    os.dup2(there.fileno(), 3)
    os.execvp("sh", ["sh", "-pc", *sys.argv[1:]])
here.send(ours.recv(1 << 16))
while b"post-dump" not in (said := here.recv(1 << 16)):
    ours.send(said)
    here.send(ours.recv(1 << 16))
while True: signal.pause()
' "$works" criu "$@"
)sh";

/// A script in CRIU's place. It marks what it starts, which can so be told from the machine's other
/// processes.
class FakeCriu {
 public:
  explicit FakeCriu(const std::string& script) { does(script); }
  FakeCriu(const FakeCriu&) = delete;
  FakeCriu& operator=(const FakeCriu&) = delete;
  ~FakeCriu() { fs::remove(path_); }

  [[nodiscard]] const std::string& path() const { return path_; }
  void does(const std::string& script) const {
    // With -p: its real user is the payload's, and a shell would become that user.
    std::ofstream{path_, std::ios::trunc} << "#!/bin/sh -p\nexport " << mark_ << "\n" << script;
    fs::permissions(path_, fs::perms::owner_all);
  }
  /// CRIU itself, with one of the faults that are built into it (its fault-injection.h).
  void fails_at(int fault) const {
    does("export CRIU_FAULT=" + std::to_string(fault) + "\n" + works);
  }
  void does_its_work() const { does(works); }
  void hangs_when_it_has_written() const {
    does("works='" + std::string{works} + "'\n" + says_nothing_when_it_has_written);
  }

  [[nodiscard]] bool is_all_gone() const {
    return becomes_true([&] { return processes().empty(); });
  }
  [[nodiscard]] std::vector<std::string> processes() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator{"/proc"}) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") == std::string::npos &&
          (read_text(entry.path() / "environ").contains(mark_) ||
           read_text(entry.path() / "cmdline").contains(path_)))  // The script's shell.
        found.push_back(name);
    }
    return found;
  }

 private:
  static constexpr const char* works =
      "[ -x " SOCK_TEST_CRIU " ] && exec " SOCK_TEST_CRIU " \"$@\"\nexec criu \"$@\"\n";
  // Not below /tmp, which is CRIU's own while it restores.
  std::string path_ = "/var/tmp/sock-fake-criu-" + std::to_string(::getpid());
  std::string mark_ = "SOCK_TEST_FAKE_CRIU=" + std::to_string(::getpid());
};

class CriuFaults : public Checkpoint {
 protected:
  Host open_host(const FakeCriu& fake) {
    HostOptions options = host_options(scratch() + "/other");
    options.criu = fake.path();
    auto opened = Host::open(options);
    if (!opened.has_value()) throw std::runtime_error{opened.error().message()};
    return std::move(*opened);
  }

  /// What it starts is found: else nothing would ever seem to be left.
  static void expect_marks() {
    const FakeCriu fake{"sleep 60 & echo up; wait"};
    TestPipe out = make_pipe();
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::dup2(out.writer.get(), STDOUT_FILENO);
      ::execl(fake.path().c_str(), "criu", nullptr);
      ::_exit(1);
    }
    EXPECT_EQ(read_until(out.reader, "\n"), "up\n");
    // While it becomes another program, a process shows no environment.
    std::vector<std::string> found;
    EXPECT_TRUE(becomes_true([&] {
      found = fake.processes();
      return found.size() == 2;
    }));
    for (const auto& each : found) ::kill(std::stoi(each), SIGKILL);
    ::waitpid(pid, nullptr, 0);
    EXPECT_TRUE(fake.is_all_gone());
  }

  static void expect_killed(Talker& talker, const Error& error, const FakeCriu& fake) {
    EXPECT_NE(error.hint.find("the container was killed"), std::string::npos) << error.message();
    const auto ended = talker.container.wait_until(in(20s));
    ASSERT_TRUE(ended.has_value() && ended->has_value());
    EXPECT_EQ(**ended, (ExitStatus{ExitStatus::Kind::signaled, SIGKILL}));
    EXPECT_TRUE(fake.is_all_gone());
  }

  /// Of a container of this test's Host, which is gone afterwards.
  void write_down() {
    Talker talker = start(talker_spec("talker"));
    checkpoint(talker.container, {.name = "snap"});
  }

  void expect_restorable(Host& host) {
    const auto used = store().use("snap");
    ASSERT_TRUE(used.has_value()) << used.error().message();
    auto restored = restore(host, *used, {.name = "restored"});
    ASSERT_TRUE(restored.has_value()) << restored.error().message();
    EXPECT_EQ(restored->ask("what"), all_of_it);
    EXPECT_NE(busy_groups(), "");
  }

  // The error, after which all is as it was: the processes, the mounts, the groups of the host.
  Error restore_error(Host& host, const FakeCriu& fake, std::chrono::milliseconds deadline = 30s) {
    const std::string mounts = read_text("/proc/self/mountinfo");
    const std::string groups = busy_groups();
    const auto used = store().use("snap");
    if (!used.has_value()) return used.error();
    const auto begin = std::chrono::steady_clock::now();
    const auto restored = restore(host, *used, {.name = "restored", .deadline = deadline});
    // A minute is for a busy machine; most of them take a tenth of a second.
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 60s);
    EXPECT_FALSE(restored.has_value());
    EXPECT_TRUE(fake.is_all_gone());
    EXPECT_TRUE(becomes_true([&] { return busy_groups() == groups; })) << busy_groups();
    EXPECT_EQ(read_text("/proc/self/mountinfo"), mounts);
    EXPECT_TRUE(fs::is_empty(scratch() + "/snapshots/staging"));
    return restored.has_value() ? Error{} : restored.error();
  }

  /// The groups of open_host()'s Host in which there are processes.
  [[nodiscard]] std::string busy_groups() const {
    std::string own;
    for (const auto& entry : fs::directory_iterator{scratch() + "/other"})
      own = "/sock-" + entry.path().filename().string() + "/";
    std::string busy;
    std::error_code ignored;
    const auto skip = fs::directory_options::skip_permission_denied;
    for (auto it = fs::recursive_directory_iterator{"/sys/fs/cgroup", skip, ignored};
         it != fs::recursive_directory_iterator{}; it.increment(ignored))
      if (it->path().filename() == "cgroup.procs" && it->path().string().contains(own) &&
          !read_text(it->path()).empty())
        busy += it->path().string() + " ";
    return busy;
  }
};

// One that answers nothing, and those that are gone at once: nothing is left of any.
TEST_F(CriuFaults, EndWithCriuThatHangsOrDies) {
  const std::pair<const char*, Errc> programs[] = {
      {"exec sleep 60", Errc::timed_out},
      {"kill -9 $$", Errc::launch_failed},
      // A child of its own still has the socket.
      {"sleep 60 & kill -9 $$", Errc::launch_failed},
  };
  expect_marks();
  write_down();
  for (const auto& [script, expected] : programs) {
    const FakeCriu fake{script};
    Host other = open_host(fake);
    EXPECT_EQ(restore_error(other, fake, 300ms).code, expected) << script;
    Talker talker = start(other, talker_spec("untouched"));
    EXPECT_EQ(checkpoint_error(talker.container, {.name = "never", .deadline = 300ms}).code,
              expected)
        << script;
    EXPECT_TRUE(fake.is_all_gone()) << script;
    // CRIU has not touched the container, which goes on.
    EXPECT_EQ(talker.ask("echo"), "echo\n") << script;
    fake.does_its_work();
    checkpoint(talker.container, {.name = "after"});
    EXPECT_EQ(talker.ask("echo"), "echo\n") << script;
    ASSERT_TRUE(store().remove("after").has_value());
  }
}

// CRIU_FAULT: 3, writing memory fails; 5, its code in the container cannot reach it.
TEST_F(CriuFaults, LeaveAContainerThatCouldNotBeWrittenAsItWas) {
  const FakeCriu fake{""};
  for (const int fault : {3, 5}) {
    fake.fails_at(fault);
    Host other = open_host(fake);
    Talker talker = start(other, talker_spec("talker"));
    const Error error = checkpoint_error(talker.container, {.name = "snap"});
    EXPECT_EQ(error.code, Errc::unsupported) << error.message();
    EXPECT_TRUE(error.hint.starts_with("CRIU: ")) << error.message();
    EXPECT_TRUE(fake.is_all_gone()) << fault;
    EXPECT_EQ(talker.ask("echo"), "echo\n") << fault;
    fake.does_its_work();
    checkpoint(talker.container, {.name = "snap"});
    EXPECT_EQ(talker.ask("what"), all_of_it) << fault;
    expect_restorable(other);
    ASSERT_TRUE(store().remove("snap").has_value());
  }
}

TEST_F(CriuFaults, EndAContainerThatCriuHasLeftStopped) {
  const FakeCriu fake{""};
  fake.does_its_work();
  Host other = open_host(fake);
  Talker talker = start(other, talker_spec("talker"));
  fake.hangs_when_it_has_written();
  const Error error = checkpoint_error(talker.container, {.name = "snap", .deadline = 5s});
  EXPECT_EQ(error.code, Errc::timed_out) << error.message();
  expect_killed(talker, error, fake);
  fake.does_its_work();
  Talker another = start(other, talker_spec("another"));
  checkpoint(another.container, {.name = "snap"});
}

// CRIU_FAULT: 1, it dies when its code is in the container.
TEST_F(CriuFaults, EndAContainerInWhichCriuHasDied) {
  const FakeCriu fake{""};
  fake.fails_at(1);
  Host other = open_host(fake);
  Talker talker = start(other, talker_spec("talker"));
  const Error error = checkpoint_error(talker.container, {.name = "snap"});
  EXPECT_EQ(error.code, Errc::launch_failed) << error.message();
  expect_killed(talker, error, fake);
  fake.does_its_work();
  Talker another = start(other, talker_spec("another"));
  checkpoint(another.container, {.name = "snap"});
  EXPECT_EQ(another.ask("what"), all_of_it);
}

// CRIU_FAULT: 2, the first process dies while it is made; 6, all are there and wait to be let go.
TEST_F(CriuFaults, LeaveNothingOfARestoreThatFails) {
  write_down();
  const FakeCriu fake{""};
  Host other = open_host(fake);
  for (const int fault : {2, 6}) {
    fake.fails_at(fault);
    const Error error = restore_error(other, fake);
    EXPECT_EQ(error.code, Errc::launch_failed) << error.message();
    EXPECT_EQ(error.stage, Stage::restore);
    fake.does_its_work();
    expect_restorable(other);
  }
}

// Their groups have numbers: c1 is not c10. Each restore is in the group of the one that has just
// ended.
TEST_F(CriuFaults, EndNoOtherContainersWithARestoreThatFails) {
  write_down();
  const FakeCriu fake{""};
  fake.fails_at(2);
  Host other = open_host(fake);
  constexpr int count = 14;
  std::vector<Container> others;
  for (int i = 0; i < count; ++i) {
    ContainerSpec spec = shell("while :; do sleep 60; done");
    spec.name = "other-" + std::to_string(i);
    auto container = other.create(spec);
    ASSERT_TRUE(container.has_value()) << container.error().message();
    others.push_back(std::move(*container));
  }
  while (!others.empty()) {
    others.erase(others.begin());
    EXPECT_EQ(restore_error(other, fake).code, Errc::launch_failed);
    for (auto& each : others) {
      const auto ended = each.wait_until(std::chrono::steady_clock::now());
      ASSERT_TRUE(ended.has_value() && !ended->has_value()) << each.name();
    }
  }
}

TEST_F(CriuFaults, SayWhereDescriptorsRunOut) {
  write_down();
  const FakeCriu fake{""};
  fake.does_its_work();
  Host other = open_host(fake);
  const auto used = store().use("snap");
  ASSERT_TRUE(used.has_value()) << used.error().message();
  int refused = 0;
  for (rlim_t more = 4;; more += more / 2) {
    ASSERT_LT(more, 1000U);
    Result<Talker> restored = [&] {
      const FewDescriptors few{count_fds() + more};
      return restore(other, *used, {.name = "restored"});
    }();
    if (restored.has_value()) {
      EXPECT_EQ(restored->ask("what"), all_of_it) << more;
      break;
    }
    ++refused;
    const Error& error = restored.error();
    EXPECT_TRUE(error.code == Errc::exhausted || error.code == Errc::launch_failed)
        << more << ": " << error.message();
    EXPECT_TRUE(fake.is_all_gone()) << more;
    EXPECT_TRUE(becomes_true([&] { return busy_groups().empty(); })) << busy_groups();
  }
  EXPECT_GT(refused, 0);
}

/// The path of a library of this very program, which is an ELF file with a build id.
std::string some_library() {
  std::istringstream maps{read_text("/proc/self/maps")};
  for (std::string line; std::getline(maps, line);)
    if (line.contains("libstdc++.so")) return line.substr(line.find('/'));
  return {};
}

TEST_F(CriuFaults, NameAMappedFileThatIsAnotherNow) {
  const fs::path bound = fs::path{scratch()} / "bound";
  fs::create_directory(bound);
  fs::copy_file(some_library(), bound / "library.so");
  std::ofstream{bound / "data"} << "as it was";
  ContainerSpec spec = shell("");
  spec.checkpointable = true;
  spec.rootfs.binds = {{.source = bound, .target = "/bound"}};
  spec.argv = {"python3", "-c",
               "import ctypes, mmap, sys\n"
               "library = ctypes.CDLL('/bound/library.so')\n"
               "file = open('/bound/data', 'rb')\n"
               "mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)\n"
               "print('ready', flush=True)\n"
               "for line in sys.stdin: print(mapped[:].decode(), flush=True)\n"};
  {
    Talker talker = start(spec);
    checkpoint(talker.container, {.name = "snap", .after = CheckpointOptions::After::stop});
  }
  const FakeCriu fake{""};
  fake.does_its_work();
  Host other = open_host(fake);
  const std::string library = read_text(bound / "library.so");
  std::string altered = library;
  const auto build_id = altered.find(std::string{"GNU\0", 4});
  ASSERT_NE(build_id, std::string::npos);
  altered[build_id + 4] ^= 1;
  const std::pair<const char*, std::string> changes[] = {
      {"library.so", altered}, {"library.so", library + "x"}, {"data", "as it is now, longer"}};
  for (const auto& [name, changed] : changes) {
    const std::string before = read_text(bound / name);
    std::ofstream{bound / name, std::ios::trunc} << changed;
    const Error error = restore_error(other, fake);
    EXPECT_EQ(error.code, Errc::launch_failed) << error.message();
    EXPECT_NE(error.hint.find(std::string{"bound/"} + name), std::string::npos) << error.message();
    std::ofstream{bound / name, std::ios::trunc} << before;
  }
  EXPECT_EQ(restore("snap", "restored").ask(""), "as it was\n");
}

}  // namespace
}  // namespace sock::test
