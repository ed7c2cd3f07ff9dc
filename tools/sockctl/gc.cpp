// sockctl gc: removes what dead Hosts and dead monitors left behind. The living are untouched.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sock/host.hpp"

#include "client.hpp"
#include "json_values.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "verbs.hpp"
#include "zygote_client.hpp"

namespace sockctl {
namespace {

Result<std::size_t> remove_dead_entries(const std::string& state) {
  std::size_t removed = 0;
  for (const auto& entry : SOCKCTL_TRY(list_entries(state))) {
    const auto gone = remove_if_dead(state, entry.name);
    // Somebody else may have been faster.
    if (!gone.has_value() && gone.error().code == Errc::not_found) continue;
    if (SOCKCTL_TRY(Result<bool>{gone})) ++removed;
  }
  return removed;
}

Result<> collect(const Globals& globals) {
  const auto format = SOCKCTL_TRY(format_of(globals));
  const auto state = SOCKCTL_TRY(state_dir(globals));
  const auto found = SOCKCTL_TRY(sock::Host::recover(hosts_dir(state)));
  SOCKCTL_TRY(remove_stale_zygote_socket(state));
  const auto containers = SOCKCTL_TRY(remove_dead_entries(state));
  if (format != Format::table)
    return write_all(sock::FdRef{1}, line_of({{"containers", containers},
                                              {"hosts", found.hosts},
                                              {"processes", found.processes},
                                              {"cgroups", found.cgroups},
                                              {"files", found.files}}) +
                                         "\n");
  return write_all(
      sock::FdRef{1},
      fmt::format("removed {} containers, {} hosts, {} processes, {} cgroups, {} files\n",
                  containers, found.hosts, found.processes, found.cgroups, found.files));
}

}  // namespace

int gc(const Globals& globals) {
  const auto done = collect(globals);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
