// The janitor: it cleans up after a killed owner, and nobody notices it otherwise.

#include <chrono>
#include <optional>
#include <set>
#include <vector>

#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state/instance.hpp"
#include "state_dir.hpp"
#include "sys/process.hpp"

namespace sock::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto patience = 20s;

class Janitor : public StateDir {
 protected:
  /// What a Host keeps.
  struct Owner {
    state::Instance instance;
    state::Janitor janitor;
  };
  Result<Owner> own() {
    auto instance = state::Instance::create(path);
    if (!instance) return std::unexpected(instance.error());
    auto janitor = state::Janitor::start(SOCK_JANITOR_PATH, open(), instance->id());
    if (!janitor) return std::unexpected(janitor.error());
    if (auto ready = janitor->await(); !ready) return std::unexpected(ready.error());
    return Owner{std::move(*instance), std::move(*janitor)};
  }
};

/// Waits for a name to disappear from a directory.
bool wait_gone(const fs::path& directory, const std::string& name) {
  const UniqueFd watch{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  ::inotify_add_watch(watch.get(), directory.c_str(), IN_DELETE);
  const auto deadline = sys::Deadline::clock::now() + patience;
  char events[4096];
  while (fs::exists(directory / name)) {
    if (!sys::wait_readable(watch, deadline).value_or(false)) return false;
    static_cast<void>(sys::read_some(watch, events, sizeof events).has_value());
  }
  return true;
}

std::string content(const fs::path& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// The janitor of an instance: the process with its id as an argument.
std::optional<pid_t> find_janitor(const std::string& id) {
  const std::string command = std::string{SOCK_JANITOR_PATH} + '\0' + id + '\0';
  for (const auto& entry : fs::directory_iterator{"/proc"})
    if (content(entry.path() / "cmdline") == command) return std::stoi(entry.path().filename());
  return {};
}

/// Its pidfd, so that its end can be waited for although it is nobody's child.
UniqueFd janitor_of(const std::string& id) {
  const auto pid = find_janitor(id);
  return pid ? std::move(*sys::open_pidfd(*pid)) : UniqueFd{};
}

bool wait_end(FdRef pidfd) {
  return sys::wait_readable(pidfd, sys::Deadline::clock::now() + patience).value_or(false);
}

/// An owner in a process of its own, which the caller kills.
struct OwningProcess {
  pid_t pid;
  std::string id;
};

template <class Own>
OwningProcess start_owner(Own own) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    auto owner = own();
    if (!owner) _exit(1);
    if (::write(ends[1], owner->instance.id().data(), 16) != 16) _exit(2);
    for (;;) ::pause();
  }
  ::close(ends[1]);
  OwningProcess process{pid, std::string(16, ' ')};
  EXPECT_EQ(::read(ends[0], process.id.data(), 16), 16);
  ::close(ends[0]);
  return process;
}

void kill_and_reap(pid_t pid) {
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

TEST_F(Janitor, RemovesTheInstanceOfAKilledOwner) {
  const OwningProcess owner = start_owner([this] { return own(); });
  const UniqueFd janitor = janitor_of(owner.id);
  ASSERT_TRUE(janitor);
  ASSERT_TRUE(fs::exists(path / owner.id));
  kill_and_reap(owner.pid);
  EXPECT_TRUE(wait_gone(path, owner.id));
  EXPECT_TRUE(wait_end(janitor));
}

TEST_F(Janitor, EndsAtOnceWhenTheOwnerClosedProperly) {
  auto owner = own();
  ASSERT_TRUE(owner) << owner.error().message();
  const UniqueFd janitor = janitor_of(owner->instance.id());
  ASSERT_TRUE(janitor);
  owner = std::unexpected(Error{.code = Errc::closed});
  EXPECT_TRUE(fs::is_empty(path));
  EXPECT_TRUE(wait_end(janitor));
}

TEST_F(Janitor, SurvivesSignalsThatEndServices) {
  const OwningProcess owner = start_owner([this] { return own(); });
  const UniqueFd janitor = janitor_of(owner.id);
  ASSERT_TRUE(janitor);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE})
    ASSERT_TRUE(sys::send_signal(janitor, number));
  kill_and_reap(owner.pid);
  EXPECT_TRUE(wait_gone(path, owner.id));
  EXPECT_TRUE(wait_end(janitor));
}

TEST_F(Janitor, IsNoChildOfTheProgramAndHoldsNothingOfIt) {
  // A descriptor that an embedding program leaks into its children.
  const UniqueFd leaked{::dup2(::open("/proc/self/exe", O_RDONLY), 50)};
  const auto owner = own();
  ASSERT_TRUE(owner);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG | __WALL), -1) << "no child is left to be reaped";
  const auto pid = find_janitor(owner->instance.id());
  ASSERT_TRUE(pid);
  EXPECT_NE(::getsid(*pid), ::getsid(0));
  const fs::path proc = "/proc/" + std::to_string(*pid);
  EXPECT_EQ(fs::read_symlink(proc / "cwd"), "/");
  std::set<std::string> descriptors;
  for (const auto& entry : fs::directory_iterator{proc / "fd"})
    descriptors.insert(entry.path().filename());
  EXPECT_EQ(descriptors, (std::set<std::string>{"0", "1", "2", "3", "4"}));
  EXPECT_EQ(fs::read_symlink(proc / "fd" / "1"), "/dev/null");
  EXPECT_EQ(fs::read_symlink(proc / "fd" / "4"), path);
  EXPECT_EQ(fs::file_size(proc / "environ"), 0U);
  std::ifstream comm{proc / "comm"};
  std::string name;
  comm >> name;
  EXPECT_EQ(name, "sock-janitor");
}

TEST_F(Janitor, StartsInAProgramThatIgnoresItsChildren) {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  struct sigaction before {};
  ::sigaction(SIGCHLD, &ignore, &before);
  const auto owner = own();
  ::sigaction(SIGCHLD, &before, nullptr);
  EXPECT_TRUE(owner) << owner.error().message();
}

TEST_F(Janitor, StartsWhateverSignalsTheProgramBlocks) {
  const OwningProcess owner = start_owner([this] {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    return own();
  });
  kill_and_reap(owner.pid);
  EXPECT_TRUE(wait_gone(path, owner.id));
}

TEST_F(Janitor, NamesAMissingProgramAndWhatToDo) {
  const auto instance = state::Instance::create(path);
  ASSERT_TRUE(instance);
  const auto janitor = state::Janitor::start("/nowhere/sock-janitor", open(), instance->id());
  ASSERT_FALSE(janitor);
  EXPECT_EQ(janitor.error().code, Errc::not_found);
  EXPECT_EQ(janitor.error().stage, Stage::state);
  EXPECT_EQ(janitor.error().subject, "/nowhere/sock-janitor");
  EXPECT_NE(janitor.error().hint.find("libexec_dir"), std::string::npos);
}

TEST_F(Janitor, ReportsAProgramThatFails) {
  const auto instance = state::Instance::create(path);
  ASSERT_TRUE(instance);
  auto janitor = state::Janitor::start("/bin/false", open(), instance->id());
  ASSERT_TRUE(janitor);
  const auto ready = janitor->await();
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code, Errc::launch_failed);
  EXPECT_EQ(ready.error().stage, Stage::state);
}

TEST_F(Janitor, WaitsForALockThatIsHeldALittleLongerThanThePipe) {
  auto owner = own();
  ASSERT_TRUE(owner);
  const std::string id = owner->instance.id();
  const UniqueFd janitor = janitor_of(id);
  ASSERT_TRUE(janitor);
  // Only the pipe ends; the lock is still held.
  { const state::Janitor life_line = std::move(owner->janitor); }
  EXPECT_FALSE(sys::wait_readable(janitor, sys::Deadline::clock::now() + 50ms).value_or(true));
  EXPECT_TRUE(fs::exists(path / id / "lock"));
  owner = std::unexpected(Error{.code = Errc::closed});
  EXPECT_TRUE(wait_end(janitor));
  EXPECT_TRUE(fs::is_empty(path));
}

}  // namespace
}  // namespace sock::testing
