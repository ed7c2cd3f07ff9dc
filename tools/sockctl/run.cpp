// sockctl run: a container in the foreground. Its Host lives as long as this process; if the
// process is killed, the container's init and the janitor end what it started.

#include <csignal>

#include "sock/host.hpp"

#include "console.hpp"
#include "detach.hpp"
#include "launch.hpp"
#include "report.hpp"
#include "run_report.hpp"
#include "state_dir.hpp"
#include "verbs.hpp"
#include "zygote_verbs.hpp"

namespace sockctl {
namespace {

// Without an init, a time limit is kept by whoever waits.
Deadline own_deadline(const sock::ContainerSpec& spec) {
  if (spec.init != sock::Init::none || !spec.time_limit) return {};
  return std::chrono::steady_clock::now() + *spec.time_limit;
}

Result<Next> pass_signal_on(sock::Container& container, const Console& console,
                            sock::FdRef signals) {
  const auto number = SOCKCTL_TRY(next_signal(signals));
  if (!number) return Next::go_on;
  if (*number == SIGWINCH) {
    console.resize(container.terminal());
    return Next::go_on;
  }
  // It may have ended between the signal and now, which the relay will see next.
  (void)container.signal(*number);
  return Next::go_on;
}

Result<sock::ExitStatus> attend(sock::Container& container, Console& console, sock::FdRef signals,
                                Deadline deadline) {
  Relay relay;
  SOCKCTL_TRY(console.attach(relay, container.terminal()));
  relay.watch(signals, [&] { return pass_signal_on(container, console, signals); });
  relay.watch(container.pidfd(), []() -> Result<Next> { return Next::stop; });
  SOCKCTL_TRY(relay.run(deadline));
  const auto status = SOCKCTL_TRY(container.wait());
  SOCKCTL_TRY(relay.drain(signals));
  return status;
}

Result<sock::ExitStatus> run_foreground(const Globals& globals, const RunOptions& options,
                                        sock::ContainerSpec spec, RunReport& report) {
  const auto state = SOCKCTL_TRY(state_dir(globals));
  const auto settings = SOCKCTL_TRY(host_options(globals, state));
  auto host = SOCKCTL_TRY(sock::Host::open(settings));
  const auto signals = SOCKCTL_TRY(foreground_signals());
  auto console = SOCKCTL_TRY(
      Console::make({.interactive = options.interactive, .terminal = options.terminal}));
  spec.stdio = console.stdio();
  auto container = SOCKCTL_TRY(host.create(spec));
  SOCKCTL_TRY(report.started(container));
  const auto status = SOCKCTL_TRY(attend(container, console, signals, own_deadline(spec)));
  SOCKCTL_TRY(report.ended(container, status));
  if (options.timings) SOCKCTL_TRY(write_all(sock::FdRef{2}, timings_table(container.timings())));
  return status;
}

}  // namespace

int run(const Globals& globals, RunOptions options) {
  const Caller caller = current_caller();
  if (options.name.empty()) {
    auto name = random_name();
    if (!name.has_value()) return fail(name.error());
    options.name = *name;
  }
  auto resolved = resolve(std::move(options), caller);
  if (!resolved.has_value()) return fail_usage(resolved.error());
  auto launch = prepare_launch(*resolved, caller);
  if (!launch.has_value() && launch.error().code == Errc::invalid_spec)
    return fail_usage(launch.error());
  if (!launch.has_value()) return fail(launch.error());
  if (!resolved->zygote.empty()) return zygote_fork(globals, *resolved);
  if (resolved->detach) return run_detached(globals, *resolved);

  RunReport report{*resolved};
  const auto status = run_foreground(globals, *resolved, launch->spec, report);
  if (!status.has_value()) {
    (void)report.failed(status.error());
    return fail(status.error());
  }
  explain_end(resolved->name, *status);
  return exit_code(*status);
}

}  // namespace sockctl
