// Starts the monitor of a detached container, which owns the container's Host and outlives us.

#include "detach.hpp"

#include "background.hpp"
#include "console.hpp"
#include "report.hpp"
#include "state_dir.hpp"

namespace sockctl {

Result<> start_monitor(const Globals& globals, const RunOptions& options) {
  const auto input = SOCKCTL_TRY(serialise(options, "run it without --detach"));
  if (input.size() > background_input_max)
    return refuse(Errc::invalid_spec, Stage::validate, "the command line", "at most 1 MiB");
  const auto state = SOCKCTL_TRY(state_dir(globals));
  SOCKCTL_TRY(prepare_state_dir(state));
  auto created = SOCKCTL_TRY(create_entry(state, options.name));
  return start_background(globals, {.verb = {"monitor"}, .state = state, .input = input},
                          std::move(created.lock));
}

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
