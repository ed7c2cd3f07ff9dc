// A container in the foreground.

#include "foreground.hpp"

#include <csignal>

#include "sock/host.hpp"

#include "console.hpp"
#include "snapshot_store.hpp"
#include "state_dir.hpp"

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

Result<sock::Container> start(sock::Host& host, const RunOptions& options,
                              const sock::ContainerSpec& spec) {
  if (options.snapshot.empty()) return host.create(spec);
  const auto store = SOCKCTL_TRY(open_snapshot_store(options.snapshot_store));
  const auto snapshot = SOCKCTL_TRY(store.use(options.snapshot));
  return host.fork(snapshot, spec);
}

}  // namespace

Result<sock::ExitStatus> run_foreground(const Globals& globals, const RunOptions& options,
                                        sock::ContainerSpec spec, RunReport& report) {
  const auto state = SOCKCTL_TRY(state_dir(globals));
  const auto settings = SOCKCTL_TRY(host_options(globals, state));
  auto host = SOCKCTL_TRY(sock::Host::open(settings));
  const auto signals = SOCKCTL_TRY(foreground_signals());
  auto console = SOCKCTL_TRY(
      Console::make({.interactive = options.interactive, .terminal = options.terminal}));
  spec.stdio = console.stdio();
  auto container = SOCKCTL_TRY(start(host, options, spec));
  SOCKCTL_TRY(report.started(container));
  const auto status = SOCKCTL_TRY(attend(container, console, signals, own_deadline(spec)));
  SOCKCTL_TRY(report.ended(container, status));
  if (options.timings) SOCKCTL_TRY(write_all(sock::FdRef{2}, timings_table(container.timings())));
  return status;
}

}  // namespace sockctl
