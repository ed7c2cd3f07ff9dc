// Snapshots for people.

#include <nlohmann/json.hpp>

#include "listing.hpp"
#include "report.hpp"
#include "snapshot_json.hpp"

namespace sockctl {
namespace {

std::string command_line(const sock::ContainerSpec& spec) {
  constexpr std::size_t most = 40;
  std::string line;
  for (const auto& word : spec.argv) line += (line.empty() ? "" : " ") + word;
  return line.size() > most ? line.substr(0, most - 3) + "..." : line;
}

}  // namespace

Result<> print_snapshots(Format format, const std::vector<sock::Snapshot>& snapshots) {
  auto objects = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& snapshot : snapshots) {
    objects.push_back(to_json(snapshot));
    if (snapshot.problem.empty())
      rows.push_back({snapshot.name, objects.back().at("kind"), std::to_string(snapshot.processes),
                      human_size(snapshot.bytes), time_text(snapshot.created), snapshot.spec.name,
                      command_line(snapshot.spec)});
    else
      rows.push_back({snapshot.name, "-", "-", "-", "-", "-", "damaged: " + snapshot.problem});
  }
  constexpr auto right = Column::Align::right;
  return print_list(
      format, objects,
      {{"NAME"}, {"KIND"}, {"PROCESSES", right}, {"SIZE", right}, {"CREATED"}, {"OF"}, {"COMMAND"}},
      rows);
}

}  // namespace sockctl
