// sockctl zygote host: the process in the background, started by `zygote create`
// (zygote_client.cpp) where nobody else holds zygotes.

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "background.hpp"
#include "json_values.hpp"
#include "report.hpp"
#include "zygote_host.hpp"
#include "zygote_host_loop.hpp"
#include "zygote_place.hpp"
#include "zygote_verbs.hpp"

namespace sockctl {
namespace {

Result<> hold(const Globals& globals) {
  SOCKCTL_TRY(take_over_lock());
  // Whoever started us may have leaked descriptors.
  ::close_range(background_lock_fd + 1, ~0U, 0);
  const auto state = SOCKCTL_TRY(state_dir(globals));
  auto dir = SOCKCTL_TRY(open_zygote_dir(state));
  auto signals = SOCKCTL_TRY(ending_signals());
  auto settings = SOCKCTL_TRY(host_options(globals, state));
  constexpr std::size_t prepared_cgroups = 8;
  settings.cgroup.reserve = prepared_cgroups;
  std::list<sock::UniqueFd> last;
  auto opened = SOCKCTL_TRY(sock::Host::open(settings));
  ZygoteHost host{opened};
  auto ears = SOCKCTL_TRY(listen_for_zygotes(std::move(dir), std::move(signals)));
  SOCKCTL_TRY(report_outcome({{"started", "zygotes"}}));
  return serve_zygotes(host, std::move(ears), Stay::while_used, last);
}

}  // namespace

int zygote_host(const Globals& globals) {
  const auto done = hold(globals);
  if (done.has_value()) return 0;
  // Before the report, or to nobody.
  (void)report_outcome({{"error", to_json(done.error())}});
  return exit_status::own_error;
}

}  // namespace sockctl
