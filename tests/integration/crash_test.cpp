// What is left when the embedding program is killed: nothing, after the janitor; and nothing, after
// the next Host, when the janitor was killed too.

#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// A program that embeds the library, in a process of its own.
struct Embedder {
  pid_t pid;
  TestPipe says;
};

class Crash : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "sock-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    scratch_ = pattern;
    fs::create_directory(state());
    fs::permissions(state(), fs::perms::owner_all);
  }
  void TearDown() override {
    // One that a failed assertion has left would go on for ever, without a state directory.
    for (const pid_t pid : started_)
      if (::kill(pid, SIGKILL) == 0) ::waitpid(pid, nullptr, 0);
    if (!started_.empty()) {
      EXPECT_TRUE(is_recovered());
    }
    std::error_code ignored;
    fs::remove_all(scratch_, ignored);
  }

  [[nodiscard]] std::string state() const { return scratch_ + "/state"; }

  /// Creates containers, one that stays and others that end, until it is killed.
  Embedder start() {
    Embedder embedder{.pid = -1, .says = make_pipe()};
    embedder.pid = ::fork();
    if (embedder.pid == 0) embed(embedder.says.writer);
    started_.insert(embedder.pid);
    embedder.says.writer.reset();
    return embedder;
  }

  void kill_and_reap(pid_t pid) {
    started_.erase(pid);
    ASSERT_EQ(::kill(pid, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << status;
  }

  [[nodiscard]] std::set<std::string> instances() const {
    std::set<std::string> ids;
    for (const auto& entry : fs::directory_iterator{state()})
      ids.insert(entry.path().filename().string());
    return ids;
  }

  /// True when the state directory is empty within ten seconds.
  [[nodiscard]] bool becomes_empty() const {
    const UniqueFd watch{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    ::inotify_add_watch(watch.get(), state().c_str(), IN_DELETE | IN_MOVED_FROM);
    const auto deadline = in(10s);
    while (!instances().empty()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      pollfd waiting{.fd = watch.get(), .events = POLLIN, .revents = 0};
      ::poll(&waiting, 1, 100);
      char events[4096];
      while (::read(watch.get(), events, sizeof events) > 0) continue;
    }
    return true;
  }

  /// True when Host::recover() has emptied the state directory within ten seconds: a child on its
  /// way to execve holds a copy of the lock for a moment longer, and a janitor may be at it as
  /// well.
  [[nodiscard]] bool is_recovered() const {
    const auto deadline = in(10s);
    while (!instances().empty()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      static_cast<void>(Host::recover(state()).has_value());
    }
    return true;
  }

  /// Cgroup directories of these Hosts, anywhere.
  static std::vector<std::string> cgroups_of(const std::set<std::string>& ids) {
    std::vector<std::string> found;
    std::error_code ignored;
    const auto skip = fs::directory_options::skip_permission_denied;
    for (auto it = fs::recursive_directory_iterator{"/sys/fs/cgroup", skip, ignored};
         it != fs::recursive_directory_iterator{}; it.increment(ignored)) {
      const std::string name = it->path().filename().string();
      if (name.starts_with("sock-") && ids.contains(name.substr(5)))
        found.push_back(it->path().string());
    }
    return found;
  }

  /// Processes whose command line has all of these words.
  static std::vector<pid_t> processes_with(const std::string& program, const std::string& word) {
    std::vector<pid_t> found;
    for (const auto& entry : fs::directory_iterator{"/proc"}) {
      const std::string name = entry.path().filename().string();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      std::ifstream file{entry.path() / "cmdline"};
      const std::string line{std::istreambuf_iterator<char>{file}, {}};
      if (line.find(program) != std::string::npos && line.find(word) != std::string::npos)
        found.push_back(static_cast<pid_t>(std::stol(name)));
    }
    return found;
  }

 private:
  [[noreturn]] void embed(FdRef says) const {
    auto host = Host::open(host_options(state()));
    if (!host) ::_exit(3);
    ContainerSpec spec{
        .name = "stays", .rootfs = {.base = std::string{host_image}}, .argv = {"/bin/sleep", "60"}};
    auto stays = host->create(spec);
    if (!stays || ::write(says.get(), "up", 2) != 2) ::_exit(4);
    spec.argv = {"/bin/true"};
    for (std::uint64_t i = 0;; ++i) {
      spec.name = "ends-" + std::to_string(i);
      auto ends = host->create(spec);
      if (!ends || !ends->wait()) ::_exit(5);
    }
  }

  std::string scratch_;
  std::set<pid_t> started_;
};

TEST_F(Crash, LeavesNothingAtAnyMoment) {
  const int rounds = std::getenv("SOCK_TEST_FULL") != nullptr ? 1000 : 30;
  std::minstd_rand random{20181111};
  for (int round = 0; round < rounds; ++round) {
    const Embedder embedder = start();
    // Every other one during Host::open and the first create, the rest in the loop of creates.
    const bool is_open = round % 2 == 0;
    if (is_open) {
      ASSERT_EQ(read_until(embedder.says.reader, "up"), "up");
    }
    const timespec moment{.tv_sec = 0, .tv_nsec = static_cast<long>(random() % 30'000'000)};
    ::ppoll(nullptr, 0, &moment, nullptr);
    const auto ids = instances();
    kill_and_reap(embedder.pid);
    // Before there is a janitor, the next Host is the one to find what there is: a directory.
    if (is_open)
      ASSERT_TRUE(becomes_empty()) << "round " << round << ": the janitor left " << state();
    else
      ASSERT_TRUE(is_recovered()) << "round " << round << ": recovery left " << state();
    EXPECT_EQ(cgroups_of(ids), std::vector<std::string>{}) << "round " << round;
  }
}

TEST_F(Crash, IsCleanedUpByTheNextHostWhenTheJanitorWasKilledToo) {
  const Embedder embedder = start();
  ASSERT_EQ(read_until(embedder.says.reader, "up"), "up");
  const auto ids = instances();
  ASSERT_EQ(ids.size(), 1U);
  const auto janitors = processes_with("sock-janitor", *ids.begin());
  ASSERT_EQ(janitors.size(), 1U);
  ASSERT_EQ(::kill(janitors.front(), SIGKILL), 0);
  kill_and_reap(embedder.pid);
  EXPECT_EQ(instances(), ids);  // Nobody has cleaned up yet.
  EXPECT_TRUE(is_recovered());
  EXPECT_EQ(cgroups_of(ids), std::vector<std::string>{});
}

TEST_F(Crash, LeavesAliveWhatAnotherHostOfTheSameStateDirectoryOwns) {
  const Embedder first = start();
  const Embedder second = start();
  ASSERT_EQ(read_until(first.says.reader, "up"), "up");
  ASSERT_EQ(read_until(second.says.reader, "up"), "up");
  kill_and_reap(first.pid);
  const auto recovered = Host::recover(state());
  ASSERT_TRUE(recovered.has_value()) << recovered.error().message();
  EXPECT_LE(instances().size(), 2U);  // The janitor may be at it as well.
  int status = 0;
  EXPECT_EQ(::waitpid(second.pid, &status, WNOHANG), 0) << "the living one was hurt";
  kill_and_reap(second.pid);
  EXPECT_TRUE(becomes_empty());
}

}  // namespace
}  // namespace sock::test
