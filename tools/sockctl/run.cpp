// sockctl run.

#include "detach.hpp"
#include "foreground.hpp"
#include "launch.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "state_dir.hpp"
#include "verbs.hpp"
#include "zygote_verbs.hpp"

namespace sockctl {
namespace {

// What a prefetch has done is of interest beside the stages.
Result<> print_prefetch(std::optional<sock::Prefetch>& prefetch) {
  if (!prefetch) return {};
  const auto report = SOCKCTL_TRY(prefetch->wait());
  return write_all(sock::FdRef{2}, prefetch_line(report));
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
  if (const auto fits = check_snapshot_fork(*resolved); !fits.has_value())
    return fits.error().code == Errc::invalid_spec ? fail_usage(fits.error()) : fail(fits.error());
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
  if (resolved->timings)
    if (const auto done = print_prefetch(launch->prefetch); !done.has_value())
      return fail(done.error());
  explain_end(resolved->name, *status);
  return exit_code(*status);
}

}  // namespace sockctl
