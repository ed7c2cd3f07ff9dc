// sockctl rm: forgets containers that have ended, and with --force ends them first.

#include <nlohmann/json.hpp>

#include "sock/host.hpp"

#include "client.hpp"
#include "report.hpp"
#include "verbs.hpp"

namespace sockctl {
namespace {

Result<> remove(const std::string& state, const Entry& entry, bool force) {
  const auto asked = ask(entry, {{"verb", "remove"}, {"force", force}}, action_time);
  if (asked.has_value()) return {};
  if (asked.error().code != Errc::closed) return std::unexpected(asked.error());
  // A dead monitor's container is the janitor's; if that is dead too, it is ours.
  SOCKCTL_TRY(sock::Host::recover(hosts_dir(state)));
  SOCKCTL_TRY(remove_if_dead(state, entry.name));
  return {};
}

}  // namespace

int rm(const Globals& globals, const RmOptions& options) {
  const auto state = state_dir(globals);
  if (!state.has_value()) return fail(state.error());
  return for_each_entry(globals, options.names,
                        [&](const Entry& entry) { return remove(*state, entry, options.force); });
}

}  // namespace sockctl
