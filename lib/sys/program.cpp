// Starting a program that puts itself into the background, by posix_spawn: glibc's shares memory
// with the caller while it suspends it, so the cost does not grow with the caller's size.

#include "sys/program.hpp"

#include <utility>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/try.hpp"
#include "sys/error.hpp"

namespace sock::sys {
namespace {

constexpr int first_passed = 3;

/// Owns the two settings objects; what they reject (only for lack of memory) is kept in `failure`.
class SpawnSettings {
 public:
  SpawnSettings() noexcept {
    note(::posix_spawn_file_actions_init(&files_));
    note(::posix_spawnattr_init(&attributes_));
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    note(::posix_spawnattr_setsigmask(&attributes_, &none));
    note(::posix_spawnattr_setsigdefault(&attributes_, &all));
    note(::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    for (int stdio = 0; stdio < first_passed; ++stdio)
      note(::posix_spawn_file_actions_addopen(&files_, stdio, "/dev/null", O_RDWR, 0));
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  void pass(int from, int as) noexcept {
    note(::posix_spawn_file_actions_adddup2(&files_, from, as));
  }
  [[nodiscard]] int failure() const noexcept { return failure_; }
  /// 0 or an errno value; a failed exec is among them.
  int spawn(pid_t& child, char* const* argv) const noexcept {
    char* const environment[] = {nullptr};
    return ::posix_spawn(&child, argv[0], &files_, &attributes_, argv, environment);
  }

 private:
  void note(int result) noexcept {
    if (failure_ == 0) failure_ = result;
  }
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
  int failure_ = 0;
};

// The number is safe here: it is waited for once, and nobody but a careless wait() for any child
// can have reaped the process before; then ECHILD says so.
Result<> await_end(pid_t child, const std::string& program) {
  siginfo_t info{};
  const int result =
      retry([&] { return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | __WALL); });
  if (result < 0 && errno == ECHILD) return {};
  if (result < 0) return sys_error(errno, program);
  if (info.si_code == CLD_EXITED && info.si_status == 0) return {};
  return base::refuse(Errc::launch_failed, Stage::none, program,
                      (info.si_code == CLD_EXITED ? "it exited with code " : "it died of signal ") +
                          std::to_string(info.si_status));
}

}  // namespace

Daemon::Daemon(pid_t child, std::string program) noexcept
    : child_{child}, program_{std::move(program)} {}
Daemon::Daemon(Daemon&& other) noexcept
    : child_{std::exchange(other.child_, -1)}, program_{std::move(other.program_)} {}

Daemon& Daemon::operator=(Daemon&& other) noexcept {
  std::swap(child_, other.child_);
  std::swap(program_, other.program_);
  return *this;
}

Daemon::~Daemon() {
  static_cast<void>(await().has_value());
}

Result<> Daemon::await() {
  if (child_ < 0) return {};
  return await_end(std::exchange(child_, -1), program_);
}

Result<Daemon> Daemon::start(std::span<const std::string> arguments,
                             std::span<const FdRef> descriptors) {
  // Copies above every target number, so that no dup2() overwrites a source of a later one.
  const int free_number = first_passed + static_cast<int>(descriptors.size());
  std::vector<UniqueFd> sources;
  SpawnSettings settings;
  for (const FdRef descriptor : descriptors) {
    const int as = first_passed + static_cast<int>(sources.size());
    UniqueFd source{::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, free_number)};
    if (!source) return sys_error(errno, arguments[0]);
    settings.pass(source.get(), as);
    sources.push_back(std::move(source));
  }
  if (settings.failure() != 0) return sys_error(settings.failure(), arguments[0]);

  std::vector<char*> argv;
  // Never written to: posix_spawn's prototype is older than const.
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  // Copied before there is a process that only it knows of.
  std::string program = arguments[0];
  pid_t child = -1;
  if (const int failure = settings.spawn(child, argv.data()); failure != 0)
    return sys_error(failure, arguments[0]);
  return Daemon{child, std::move(program)};
}

}  // namespace sock::sys
