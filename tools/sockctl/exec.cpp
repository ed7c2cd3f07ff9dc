// sockctl exec: a further process in a detached container. Its monitor starts the process; the
// stdio is ours, passed over the control socket.

#include <csignal>

#include <nlohmann/json.hpp>

#include "client.hpp"
#include "console.hpp"
#include "json_values.hpp"
#include "parse.hpp"
#include "report.hpp"
#include "stdio_message.hpp"
#include "verbs.hpp"

namespace sockctl {
namespace {

Result<> send_request(sock::FdRef monitor, const ExecOptions& options, const sock::Stdio& stdio) {
  nlohmann::json request{{"verb", "exec"},
                         {"argv", options.command},
                         {"env", environment(options.env, {})},
                         {"cwd", options.cwd},
                         {"user", options.user}};
  const auto fds = put_stdio(request, stdio);
  return send_message(monitor, request, fds);
}

Result<Next> pass_signal_on(sock::FdRef monitor, const Console& console, sock::FdRef master,
                            sock::FdRef signals) {
  const auto number = SOCKCTL_TRY(next_signal(signals));
  if (!number) return Next::go_on;
  if (*number == SIGWINCH) {
    console.resize(master);
    return Next::go_on;
  }
  SOCKCTL_TRY(send_message(monitor, {{"verb", "signal"}, {"number", *number}}));
  return Next::go_on;
}

Result<sock::ExitStatus> run_process(const Globals& globals, const ExecOptions& options) {
  const auto state = SOCKCTL_TRY(state_dir(globals));
  const auto entry = SOCKCTL_TRY(open_entry(state, options.name));
  const auto monitor = SOCKCTL_TRY(connect_to(entry));
  const auto signals = SOCKCTL_TRY(foreground_signals());
  auto console = SOCKCTL_TRY(
      Console::make({.interactive = options.interactive, .terminal = options.terminal}));
  SOCKCTL_TRY(send_request(monitor, options, console.stdio()));
  std::vector<sock::UniqueFd> fds;
  SOCKCTL_TRY(next_answer(monitor, std::chrono::steady_clock::now() + action_time, &fds));
  const sock::FdRef master = fds.empty() ? sock::FdRef{} : fds.front().ref();
  if (options.terminal && !master)
    return refuse(Errc::corrupt, Stage::none, "the monitor sent no terminal");

  Relay relay;
  SOCKCTL_TRY(console.attach(relay, master));
  std::optional<sock::ExitStatus> status;
  relay.watch(signals, [&] { return pass_signal_on(monitor, console, master, signals); });
  relay.watch(monitor, [&]() -> Result<Next> {
    const auto event = SOCKCTL_TRY(next_answer(monitor, {}));
    status = exit_status_from_json(event.value("exit", nlohmann::json::object()));
    return Next::stop;
  });
  SOCKCTL_TRY(relay.run({}));
  SOCKCTL_TRY(relay.drain(signals));
  return *status;
}

}  // namespace

int exec(const Globals& globals, ExecOptions options) {
  const auto caller = current_caller();
  auto env = resolve_env(options.env, caller);
  if (!env.has_value()) return fail_usage(env.error());
  options.env = std::move(*env);
  if (options.terminal)
    options.env.insert(options.env.begin(), "TERM=" + caller.variable("TERM").value_or("xterm"));
  if (!options.user.empty())
    if (const auto user = parse_user(options.user); !user.has_value())
      return fail_usage(user.error());
  const auto status = run_process(globals, options);
  if (!status.has_value()) return fail(status.error());
  explain_end(options.name, *status);
  return exit_code(*status);
}

}  // namespace sockctl
