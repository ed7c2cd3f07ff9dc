// sockctl inspect: everything known of some containers, always as JSON.

#include <nlohmann/json.hpp>

#include "client.hpp"
#include "listing.hpp"
#include "report.hpp"
#include "verbs.hpp"

namespace sockctl {
namespace {

Result<> show(const Globals& globals, const std::vector<std::string>& names) {
  const auto format = SOCKCTL_TRY(format_of(globals));
  nlohmann::json found = nlohmann::json::array();
  const auto entries = SOCKCTL_TRY(entries_of(globals, names));
  const auto answers = ask_all(entries, {{"verb", "inspect"}});
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& answer = answers[i];
    if (answer.has_value()) {
      found.push_back(answer->value("container", nlohmann::json::object()));
    } else if (answer.error().code == Errc::closed) {
      found.push_back({{"name", entries[i].name}, {"state", "dead"}});
    } else {
      return std::unexpected(answer.error());
    }
  }
  return print_list(format == Format::jsonl ? Format::jsonl : Format::json, found, {}, {});
}

}  // namespace

int inspect(const Globals& globals, const std::vector<std::string>& names) {
  const auto done = show(globals, names);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
