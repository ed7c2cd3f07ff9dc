// sockctl monitor: the process behind a detached container, started by `run --detach` (detach.cpp)
// with the options on descriptor 0, the outcome on 1 and the entry's lock on 3.

#include <algorithm>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "background.hpp"
#include "json_values.hpp"
#include "launch.hpp"
#include "monitor_loop.hpp"
#include "parse.hpp"
#include "report.hpp"
#include "verbs.hpp"

namespace sockctl {
namespace {

// The image, its prefetch, packages and the Host come first: they must outlive the container.
struct Started {
  std::optional<sock::ImageRoot> image;
  std::optional<sock::Prefetch> prefetch;
  std::optional<sock::PackagesInUse> packages;
  sock::Host host;
  Monitor monitor;
};

Result<Started> start(const Globals& globals, const std::string& state, const RunOptions& options) {
  auto entry = SOCKCTL_TRY(open_entry(state, options.name));
  auto launch = SOCKCTL_TRY(prepare_launch(options, current_caller()));
  const auto settings = SOCKCTL_TRY(host_options(globals, state));
  auto signals = SOCKCTL_TRY(ending_signals());
  auto host = SOCKCTL_TRY(sock::Host::open(settings));
  const auto log_max = SOCKCTL_TRY(parse_size("--log-max", options.log_max));
  auto log = SOCKCTL_TRY(LogWriter::open(entry.dir, log_max));
  auto listener = SOCKCTL_TRY(listen_at(entry.dir, "control"));
  auto out = SOCKCTL_TRY(make_pipe());
  auto err = SOCKCTL_TRY(make_pipe());
  launch.spec.stdio = {.in = {}, .out = out.writer, .err = err.writer};
  auto container = SOCKCTL_TRY(host.create(launch.spec));
  return Started{.image = std::move(launch.image),
                 .prefetch = std::move(launch.prefetch),
                 .packages = std::move(launch.packages),
                 .host = std::move(host),
                 .monitor = Monitor{{.options = options,
                                     .state = state,
                                     .identity = launch.spec.identity,
                                     .entry = std::move(entry),
                                     .listener = std::move(listener),
                                     .signals = std::move(signals),
                                     .out = std::move(out.reader),
                                     .err = std::move(err.reader),
                                     .log = std::move(log),
                                     .container = std::move(container)}}};
}

// Whoever started us may have leaked descriptors. One that the options name as network is meant.
Result<> close_others(const RunOptions& options) {
  constexpr unsigned first = background_lock_fd + 1;
  constexpr unsigned last = ~0U;
  const auto network = SOCKCTL_TRY(parse_network(options.net));
  const unsigned kept = network.fd > 0 ? static_cast<unsigned>(network.fd) : 0U;
  if (kept > first) ::close_range(first, kept - 1, 0);
  ::close_range(std::max(first, kept + 1), last, 0);
  return {};
}

Result<> run_monitor(const Globals& globals) {
  SOCKCTL_TRY(take_over_lock());
  const auto text = SOCKCTL_TRY(read_all(sock::FdRef{0}, background_input_max));
  const auto options = SOCKCTL_TRY(run_options_from_json(text));
  SOCKCTL_TRY(close_others(options));
  const auto state = SOCKCTL_TRY(state_dir(globals));
  auto started = start(globals, state, options);
  if (!started.has_value()) {
    (void)remove_own(state, options.name);
    return report_outcome({{"error", to_json(started.error())}});
  }
  SOCKCTL_TRY(report_outcome({{"started", options.name}}));
  return started->monitor.run();
}

}  // namespace

int monitor(const Globals& globals) {
  const auto done = run_monitor(globals);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
