// Starts a monitor: this program again, in a session of its own, which owns the container's Host
// and outlives us. It learns the options from a pipe and reports on another.

#include "detach.hpp"

#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "console.hpp"
#include "json_values.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "state_dir.hpp"

namespace sockctl {
namespace {

constexpr std::size_t outcome_max = 64U << 10U;

std::vector<std::string> monitor_command(const Globals& globals, const std::string& state) {
  std::vector<std::string> command{"sockctl", "monitor",   "--state-dir",
                                   state,     "--cgroups", globals.cgroups};
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

// Descriptors 0, 1 and 3 as in detach.hpp; 2 is /dev/null, or a terminal would stay open.
Result<> spawn(const std::vector<std::string>& command, sock::FdRef options, sock::FdRef outcome,
               sock::FdRef lock_file) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  ::posix_spawn_file_actions_adddup2(&actions, options.get(), 0);
  ::posix_spawn_file_actions_adddup2(&actions, outcome.get(), 1);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, lock_file.get(), monitor_lock_fd);
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
  return std::unexpected(
      Error{.code = Errc::io, .stage = Stage::state, .sys_errno = problem, .subject = "monitor"});
}

// A duplicate above the numbers that the monitor's descriptors get.
Result<sock::UniqueFd> out_of_the_way(sock::FdRef fd) {
  constexpr int lowest = 10;
  const int copy = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, lowest);
  if (copy < 0) return last_error("duplicate");
  return sock::UniqueFd{copy};
}

// The monitor's outcome: "started", or an error. Nothing at all means that it died.
Result<> await_outcome(sock::FdRef outcome) {
  const auto json = parse_json(SOCKCTL_TRY(read_all(outcome, outcome_max)));
  if (!json.is_object())
    return refuse(Errc::closed, Stage::state, "the monitor ended before the container started");
  if (json.contains("error")) return std::unexpected(error_from_json(json["error"]));
  return {};
}

Result<std::string> serialise(const RunOptions& options) {
  std::string text;
  try {
    text = to_json(options).dump();
  } catch (const nlohmann::json::exception&) {
    return refuse(Errc::invalid_spec, Stage::validate, "an argument that is not UTF-8",
                  "run it without --detach");
  }
  if (text.size() > options_max)
    return refuse(Errc::invalid_spec, Stage::validate, "the command line", "at most 1 MiB");
  return text;
}

Result<> start_monitor(const Globals& globals, const RunOptions& options) {
  const auto text = SOCKCTL_TRY(serialise(options));
  const auto state = SOCKCTL_TRY(state_dir(globals));
  SOCKCTL_TRY(prepare_state_dir(state));
  auto created = SOCKCTL_TRY(create_entry(state, options.name));
  auto to_monitor = SOCKCTL_TRY(make_pipe());
  auto from_monitor = SOCKCTL_TRY(make_pipe());
  {
    // The monitor's ends, gone from here when it has them: its death is then the pipes' end.
    const auto lock_file = SOCKCTL_TRY(out_of_the_way(created.lock));
    const auto in = SOCKCTL_TRY(out_of_the_way(to_monitor.reader));
    const auto out = SOCKCTL_TRY(out_of_the_way(from_monitor.writer));
    created.lock.reset();
    to_monitor.reader.reset();
    from_monitor.writer.reset();
    const auto spawned = spawn(monitor_command(globals, state), in, out, lock_file);
    if (!spawned.has_value()) {
      SOCKCTL_TRY(remove_own(state, options.name));
      return spawned;
    }
  }
  // A monitor that is gone already says why on the other pipe, or nothing.
  (void)write_all(to_monitor.writer, text);
  to_monitor.writer.reset();
  return await_outcome(from_monitor.reader);
}

}  // namespace

int run_detached(const Globals& globals, const RunOptions& options) {
  if (options.terminal || options.interactive)
    return fail_usage({.code = Errc::invalid_spec,
                       .stage = Stage::validate,
                       .subject = "--detach with -i or -t",
                       .hint = "a detached container has no stdin; use sockctl exec -it"});
  const auto signals = foreground_signals();
  if (!signals.has_value()) return fail(signals.error());
  const auto started = start_monitor(globals, options);
  if (!started.has_value()) return fail(started.error());
  const auto printed = write_all(sock::FdRef{1}, options.name + "\n");
  return printed.has_value() ? 0 : fail(printed.error());
}

}  // namespace sockctl
