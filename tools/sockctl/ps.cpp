// sockctl ps: the detached containers, each as its monitor describes it.

#include <nlohmann/json.hpp>

#include "client.hpp"
#include "listing.hpp"
#include "report.hpp"
#include "verbs.hpp"

namespace sockctl {
namespace {

std::string command_of(const nlohmann::json& container) {
  std::string text;
  for (const auto& word : container["options"].value("command", std::vector<std::string>{}))
    text += (text.empty() ? "" : " ") + word;
  std::size_t shown = 40;
  if (text.size() > shown)  // Not within a character of several bytes.
    while (shown > 0 && (static_cast<unsigned char>(text[shown]) & 0xc0U) == 0x80U) --shown;
  return text.size() > shown ? text.substr(0, shown) + "..." : text;
}

std::string state_of(const nlohmann::json& container) {
  const auto state = container.value("state", "");
  if (!container.contains("exit")) return state;
  return state + " (" + std::to_string(container["exit"].value("code", 0)) + ")";
}

// A dead monitor is a state; one that does not answer is another.
nlohmann::json describe_entry(const Entry& entry, const Result<nlohmann::json>& answer) {
  if (answer.has_value() && answer->contains("container")) {
    auto container = (*answer)["container"];
    container["command"] = command_of(container);
    return container;
  }
  const bool dead = !answer.has_value() && answer.error().code == Errc::closed;
  return {{"name", entry.name}, {"state", dead ? "dead" : "unknown"}};
}

std::vector<std::string> row_of(const nlohmann::json& container) {
  const auto pid = container.contains("pid") ? std::to_string(container.value("pid", 0)) : "-";
  return {container.value("name", ""), state_of(container), pid, container.value("started", "-"),
          container.value("command", "-")};
}

Result<> list(const Globals& globals, const PsOptions& options) {
  const auto format = SOCKCTL_TRY(format_of(globals));
  const auto entries = SOCKCTL_TRY(entries_of(globals, {}));
  if (options.quiet) {
    std::string names;
    for (const auto& entry : entries) names += entry.name + "\n";
    return write_all(sock::FdRef{1}, names);
  }
  const auto answers = ask_all(entries, {{"verb", "inspect"}});
  nlohmann::json containers = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto container = describe_entry(entries[i], answers[i]);
    rows.push_back(row_of(container));
    // The details are for `inspect`.
    container.erase("options");
    container.erase("timings");
    containers.push_back(std::move(container));
  }
  return print_list(format, containers,
                    {{"NAME"}, {"STATE"}, {"PID", Column::Align::right}, {"STARTED"}, {"COMMAND"}},
                    rows);
}

}  // namespace

int ps(const Globals& globals, const PsOptions& options) {
  const auto done = list(globals, options);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
