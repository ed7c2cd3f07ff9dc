// sockctl kill: a signal for payloads; KILL, the default, ends everything in the container.

#include <nlohmann/json.hpp>

#include "client.hpp"
#include "parse.hpp"
#include "report.hpp"
#include "verbs.hpp"

namespace sockctl {

int kill(const Globals& globals, const KillOptions& options) {
  const auto number = parse_signal(options.signal);
  if (!number.has_value()) return fail_usage(number.error());
  return for_each_entry(globals, options.names, [&](const Entry& entry) -> Result<> {
    SOCKCTL_TRY(ask(entry, {{"verb", "signal"}, {"number", *number}}, action_time));
    return {};
  });
}

}  // namespace sockctl
