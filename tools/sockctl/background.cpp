// Starting a process that stays, and its first steps.

#include "background.hpp"

#include <array>
#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "json_values.hpp"

namespace sockctl {
namespace {

constexpr std::size_t outcome_max = 64U << 10U;

std::vector<std::string> command_of(const Globals& globals, const Background& background) {
  std::vector<std::string> command{"sockctl"};
  command.insert(command.end(), background.verb.begin(), background.verb.end());
  command.insert(command.end(), {"--state-dir", background.state, "--cgroups", globals.cgroups});
  if (!globals.libexec_dir.empty()) {
    command.emplace_back("--libexec-dir");
    command.push_back(globals.libexec_dir);
  }
  for (const auto& feature : globals.without) {
    command.emplace_back("--without");
    command.push_back(feature);
  }
  return command;
}

// Descriptors 0, 1 and 3 as in background.hpp; 2 is /dev/null, or a terminal would stay open.
Result<> spawn(const std::vector<std::string>& command, sock::FdRef input, sock::FdRef outcome,
               sock::FdRef lock_file) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  ::posix_spawn_file_actions_adddup2(&actions, input.get(), 0);
  ::posix_spawn_file_actions_adddup2(&actions, outcome.get(), 1);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, lock_file.get(), background_lock_fd);
  ::posix_spawn_file_actions_addchdir_np(&actions, "/");
  std::vector<char*> argv;
  for (const auto& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t pid = -1;
  const int problem =
      ::posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (problem == 0) return {};
  return std::unexpected(Error{.code = Errc::io,
                               .stage = Stage::state,
                               .sys_errno = problem,
                               .subject = "a process in the background"});
}

// A duplicate above the numbers that the process's descriptors get.
Result<sock::UniqueFd> out_of_the_way(sock::FdRef fd) {
  constexpr int lowest = 10;
  const int copy = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, lowest);
  if (copy < 0) return last_error("duplicate");
  return sock::UniqueFd{copy};
}

// An error, or anything else for success. Nothing at all means that it died.
Result<> await_outcome(sock::FdRef outcome) {
  const auto json = parse_json(SOCKCTL_TRY(read_all(outcome, outcome_max)));
  if (!json.is_object())
    return refuse(Errc::closed, Stage::state, "the process in the background has died");
  if (json.contains("error")) return std::unexpected(error_from_json(json["error"]));
  return {};
}

}  // namespace

Result<> start_background(const Globals& globals, const Background& background,
                          sock::UniqueFd lock) {
  auto to_it = SOCKCTL_TRY(make_pipe());
  auto from_it = SOCKCTL_TRY(make_pipe());
  {
    // Its ends, gone from here when it has them: its death is then the pipes' end.
    const auto lock_file = SOCKCTL_TRY(out_of_the_way(lock));
    const auto in = SOCKCTL_TRY(out_of_the_way(to_it.reader));
    const auto out = SOCKCTL_TRY(out_of_the_way(from_it.writer));
    lock.reset();
    to_it.reader.reset();
    from_it.writer.reset();
    SOCKCTL_TRY(spawn(command_of(globals, background), in, out, lock_file));
  }
  // One that is gone already says why on the other pipe, or nothing.
  (void)write_all(to_it.writer, background.input);
  to_it.writer.reset();
  return await_outcome(from_it.reader);
}

Result<> take_over_lock() {
  if (::fcntl(background_lock_fd, F_SETFD, FD_CLOEXEC) == 0) return {};
  return last_error("lock", "this verb is not for use by hand");
}

Result<sock::UniqueFd> ending_signals() {
  constexpr std::array ending{SIGTERM, SIGINT};
  constexpr std::array ignored{SIGPIPE, SIGHUP};
  SOCKCTL_TRY(signal_fd(ignored));
  return signal_fd(ending);
}

Result<> report_outcome(const nlohmann::json& outcome) {
  SOCKCTL_TRY(write_all(sock::FdRef{1}, line_of(outcome)));
  for (const int fd : {0, 1})
    if (::dup2(2, fd) != fd) return last_error("stdio");
  return {};
}

}  // namespace sockctl
