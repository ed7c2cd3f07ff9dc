// sockctl zygote fork, and run --zygote: a container from a fork, which the background Host makes.
// Its stdio is ours, passed over the socket; it ends with us.

#include <csignal>

#include <nlohmann/json.hpp>

#include "console.hpp"
#include "json_values.hpp"
#include "launch.hpp"
#include "report.hpp"
#include "run_report.hpp"
#include "stdio_message.hpp"
#include "zygote_client.hpp"
#include "zygote_verbs.hpp"

namespace sockctl {
namespace {

constexpr std::chrono::seconds start_time{30};

Result<Next> pass_signal_on(sock::FdRef host, const Console& console, sock::FdRef master,
                            sock::FdRef signals) {
  const auto number = SOCKCTL_TRY(next_signal(signals));
  if (!number) return Next::go_on;
  if (*number == SIGWINCH) {
    console.resize(master);
    return Next::go_on;
  }
  SOCKCTL_TRY(send_message(host, {{"verb", "signal"}, {"number", *number}}));
  return Next::go_on;
}

Result<> send_request(sock::FdRef host, const RunOptions& options, const sock::Stdio& stdio) {
  nlohmann::json request{{"verb", "fork"}, {"name", options.zygote}, {"options", to_json(options)}};
  const auto fds = put_stdio(request, stdio);
  return send_message(host, request, fds);
}

Result<sock::ExitStatus> run_forked(const Globals& globals, const RunOptions& options) {
  const auto host = SOCKCTL_TRY(connect_to_holder_of(globals, options.zygote));
  const auto signals = SOCKCTL_TRY(foreground_signals());
  auto console = SOCKCTL_TRY(
      Console::make({.interactive = options.interactive, .terminal = options.terminal}));
  SOCKCTL_TRY(send_request(host, options, console.stdio()));
  std::vector<sock::UniqueFd> fds;
  const auto started =
      SOCKCTL_TRY(next_zygote_event(host, std::chrono::steady_clock::now() + start_time, &fds));
  const sock::FdRef master = fds.empty() ? sock::FdRef{} : fds.front().ref();
  if (options.terminal && !master)
    return refuse(Errc::corrupt, Stage::none, "the background Host sent no terminal");

  Relay relay;
  SOCKCTL_TRY(console.attach(relay, master));
  std::optional<sock::ExitStatus> status;
  relay.watch(signals, [&] { return pass_signal_on(host, console, master, signals); });
  relay.watch(host, [&]() -> Result<Next> {
    const auto event = SOCKCTL_TRY(next_zygote_event(host, {}));
    status = exit_status_from_json(event.value("exit", nlohmann::json::object()));
    return Next::stop;
  });
  SOCKCTL_TRY(relay.run({}));
  SOCKCTL_TRY(relay.drain(signals));
  if (options.timings) {
    const auto timings = timings_from_json(started.value("timings", nlohmann::json::array()));
    SOCKCTL_TRY(write_all(sock::FdRef{2}, timings_table(timings)));
  }
  return *status;
}

}  // namespace

int zygote_fork(const Globals& globals, const RunOptions& options) {
  const auto forkable = check_forkable(options);
  if (!forkable.has_value() && forkable.error().stage == Stage::exec) return fail(forkable.error());
  if (!forkable.has_value()) return fail_usage(forkable.error());
  const auto text = serialise(options, "pass it by a file (-v)");
  if (!text.has_value()) return fail_usage(text.error());
  const auto status = run_forked(globals, options);
  if (!status.has_value()) return fail(status.error());
  explain_end(options.name, *status);
  return exit_code(*status);
}

}  // namespace sockctl
