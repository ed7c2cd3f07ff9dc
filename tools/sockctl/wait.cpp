// sockctl wait: until containers have ended. Exits as the last of them did.

#include <nlohmann/json.hpp>

#include "client.hpp"
#include "json_values.hpp"
#include "report.hpp"
#include "verbs.hpp"

namespace sockctl {

int wait(const Globals& globals, const std::vector<std::string>& names) {
  int last = 0;
  const int failed = for_each_entry(globals, names, [&](const Entry& entry) -> Result<> {
    const auto monitor = SOCKCTL_TRY(connect_to(entry));
    SOCKCTL_TRY(send_message(monitor, {{"verb", "wait"}}));
    const auto event = SOCKCTL_TRY(next_answer(monitor, {}));
    const auto status = exit_status_from_json(event.value("exit", nlohmann::json::object()));
    explain_end(entry.name, status);
    last = exit_code(status);
    return {};
  });
  return failed != 0 ? failed : last;
}

}  // namespace sockctl
