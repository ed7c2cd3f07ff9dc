// sockctl exec: a further process in a detached container. Its monitor starts the process; the
// stdio is ours, passed over the control socket.

#include <nlohmann/json.hpp>

#include "client.hpp"
#include "parse.hpp"
#include "remote_payload.hpp"
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

Result<sock::ExitStatus> run_process(const Globals& globals, const ExecOptions& options) {
  const auto state = SOCKCTL_TRY(state_dir(globals));
  const auto entry = SOCKCTL_TRY(open_entry(state, options.name));
  const auto monitor = SOCKCTL_TRY(connect_to(entry));
  const auto payload = SOCKCTL_TRY(run_remotely({
      .peer = monitor,
      .peer_name = "the monitor",
      .console = {.interactive = options.interactive, .terminal = options.terminal},
      .start_time = action_time,
      .send = [&](const sock::Stdio& stdio) { return send_request(monitor, options, stdio); },
  }));
  return payload.status;
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
