// Other programs, by posix_spawn.

#include "program.hpp"

#include <memory>

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
  pid_t child = -1;
  if (::posix_spawnp(&child, words.front(), actions.get(), nullptr, words.data(), environ) != 0)
    return refuse(Errc::not_found, Stage::exec, arguments.front(), "it cannot be started");
  SOCKCTL_TRY(await(child, arguments.front()));
  SOCKCTL_TRY(rewind_file(output));
  return read_all(output, most_output);
}

}  // namespace sockctl
