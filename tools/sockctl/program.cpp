// Other programs, by posix_spawn.

#include "program.hpp"

#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "posix.hpp"

namespace sockctl {
namespace {

constexpr std::size_t most_output = 16U << 20U;

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void start_in(const std::string& directory) {
    ::posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
  }
  void write_to(sock::FdRef file) {
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, file.get(), STDOUT_FILENO);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

/// Who presses ^C means the other program, in whose group we are: what we have to clean up after it
/// is not cut short, and that we are to end is said afterwards.
class Interruptions {
 public:
  Interruptions() {
    ::sigemptyset(&held_);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&held_, number);
    ::pthread_sigmask(SIG_BLOCK, &held_, &before_);
  }
  ~Interruptions() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Interruptions(const Interruptions&) = delete;
  Interruptions& operator=(const Interruptions&) = delete;

  [[nodiscard]] const sigset_t& before() const { return before_; }
  /// Takes one that has come meanwhile.
  [[nodiscard]] bool take() const {
    constexpr timespec at_once{};
    return ::sigtimedwait(&held_, nullptr, &at_once) > 0;
  }

 private:
  sigset_t held_{};
  sigset_t before_{};
};

Result<> await(pid_t child, const std::string& program) {
  int status = 0;
  if (::waitpid(child, &status, 0) != child) return last_error(program);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return refuse(Errc::launch_failed, Stage::wait, program,
                WIFEXITED(status) ? "exit status " + std::to_string(WEXITSTATUS(status))
                                  : "signal " + std::to_string(WTERMSIG(status)));
}

}  // namespace

Result<std::string> run_program(const std::vector<std::string>& arguments,
                                const std::string& directory) {
  const auto output = SOCKCTL_TRY(make_memory_file());
  FileActions actions;
  actions.start_in(directory);
  actions.write_to(output);
  std::vector<char*> words;
  // posix_spawn writes to none of them.
  for (const auto& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  const Interruptions interruptions;
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  ::posix_spawnattr_setsigmask(&attributes, &interruptions.before());
  pid_t child = -1;
  const int problem =
      ::posix_spawnp(&child, words.front(), actions.get(), &attributes, words.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  if (problem != 0)
    return refuse(Errc::not_found, Stage::exec, arguments.front(), "it cannot be started");
  const auto ended = await(child, arguments.front());
  if (interruptions.take())
    return refuse(Errc::closed, Stage::wait, arguments.front(), "interrupted");
  SOCKCTL_TRY(ended);
  SOCKCTL_TRY(rewind_file(output));
  return read_all(output, most_output);
}

}  // namespace sockctl
