// sockctl monitor: the process behind a detached container, started by `run --detach` (detach.cpp)
// with the options on descriptor 0, the outcome on 1 and the entry's lock on 3.

#include <algorithm>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "background.hpp"
#include "json_values.hpp"
#include "launch.hpp"
#include "limits.hpp"
#include "monitor_loop.hpp"
#include "parse.hpp"
#include "report.hpp"
#include "snapshot_store.hpp"
#include "verbs.hpp"

namespace sockctl {
namespace {

// What the container's root is made of. It must outlive the container, as the Host must.
struct Roots {
  std::optional<sock::ImageRoot> image = {};
  std::optional<sock::Prefetch> prefetch = {};
  std::optional<sock::PackagesInUse> packages = {};
  Origins restored = {};
};
struct Started {
  Roots roots;
  sock::Host host;
  Monitor monitor;
};

struct Made {
  Roots roots;
  sock::Identity identity;
  std::vector<std::string> origins;
  sock::Container container;
};

// So that `sockctl checkpoint` works wherever it can, without a word beforehand. Where it cannot is
// the library's to say, which has started nothing then.
Result<sock::Container> create_checkpointable(sock::Host& host, sock::ContainerSpec& spec) {
  spec.checkpointable = true;
  auto container = host.create(spec);
  if (container.has_value() || container.error().stage != Stage::validate) return container;
  spec.checkpointable = false;
  return host.create(spec);
}

Result<Made> create(sock::Host& host, const RunOptions& options, Launch launch,
                    const sock::Stdio& stdio) {
  launch.spec.stdio = stdio;
  auto container = SOCKCTL_TRY(create_checkpointable(host, launch.spec));
  auto origins = SOCKCTL_TRY(origins_of(options, launch));
  return Made{.roots = {.image = std::move(launch.image),
                        .prefetch = std::move(launch.prefetch),
                        .packages = std::move(launch.packages)},
              .identity = launch.spec.identity,
              .origins = std::move(origins),
              .container = std::move(container)};
}

Result<Made> restore(sock::Host& host, const RunOptions& options, const sock::Stdio& stdio) {
  const auto store = SOCKCTL_TRY(open_snapshot_store(options.snapshot_store));
  const auto used = SOCKCTL_TRY(store.use(options.snapshot));
  const sock::Snapshot& snapshot = used.snapshot();
  Roots roots;
  roots.restored = SOCKCTL_TRY(keep_origins(snapshot.origins, options));
  sock::RestoreOptions wanted{.name = options.name, .stdio = stdio};
  wanted.resources = SOCKCTL_TRY(limits_over(snapshot.spec.resources, options));
  sock::Identity identity = snapshot.spec.identity;
  if (!options.user.empty()) {
    const auto user = SOCKCTL_TRY(parse_user(options.user));
    wanted.user = sock::RestoreOptions::User{.uid = user.uid, .gid = user.gid};
    identity.uid = user.uid;
    identity.gid = user.gid;
    identity.groups.clear();
  }
  auto container = SOCKCTL_TRY(host.restore(used, wanted));
  return Made{.roots = std::move(roots),
              .identity = identity,
              .origins = snapshot.origins,
              .container = std::move(container)};
}

Result<Started> start(const Globals& globals, const std::string& state, const RunOptions& options) {
  auto entry = SOCKCTL_TRY(open_entry(state, options.name));
  // Before all else: a prefetch then runs beside the rest.
  std::optional<Launch> launch;
  if (options.snapshot.empty()) launch = SOCKCTL_TRY(prepare_launch(options, current_caller()));
  const auto settings = SOCKCTL_TRY(host_options(globals, state));
  auto signals = SOCKCTL_TRY(ending_signals());
  auto host = SOCKCTL_TRY(sock::Host::open(settings));
  const auto log_max = SOCKCTL_TRY(parse_size("--log-max", options.log_max));
  auto log = SOCKCTL_TRY(LogWriter::open(entry.dir, log_max));
  auto listener = SOCKCTL_TRY(listen_at(entry.dir, "control"));
  auto out = SOCKCTL_TRY(make_pipe());
  auto err = SOCKCTL_TRY(make_pipe());
  const sock::Stdio stdio{.in = {}, .out = out.writer, .err = err.writer};
  auto made = SOCKCTL_TRY(launch ? create(host, options, std::move(*launch), stdio)
                                 : restore(host, options, stdio));
  return Started{.roots = std::move(made.roots),
                 .host = std::move(host),
                 .monitor = Monitor{{.options = options,
                                     .state = state,
                                     .identity = made.identity,
                                     .origins = std::move(made.origins),
                                     .entry = std::move(entry),
                                     .listener = std::move(listener),
                                     .signals = std::move(signals),
                                     .out = std::move(out.reader),
                                     .err = std::move(err.reader),
                                     .log = std::move(log),
                                     .container = std::move(made.container)}}};
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
