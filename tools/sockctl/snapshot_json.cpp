// Snapshots for people and machines.

#include "snapshot_json.hpp"

#include <nlohmann/json.hpp>

#include "image_json.hpp"
#include "listing.hpp"
#include "report.hpp"

namespace sockctl {
namespace {

// Not all of what runs can be written as JSON text: printable() shows the rest.
nlohmann::json words(const std::vector<std::string>& all) {
  auto list = nlohmann::json::array();
  for (const auto& each : all) list.push_back(sock::printable(each));
  return list;
}

const char* kind_of(const sock::Snapshot& snapshot) {
  return snapshot.kind == sock::Snapshot::Kind::zygote ? "zygote" : "container";
}

std::string command_line(const sock::ContainerSpec& spec) {
  constexpr std::size_t most = 40;
  std::string line;
  for (const auto& word : spec.argv) line += (line.empty() ? "" : " ") + word;
  return line.size() > most ? line.substr(0, most - 3) + "..." : line;
}

}  // namespace

nlohmann::json to_json(const sock::Snapshot& snapshot) {
  if (!snapshot.problem.empty()) return {{"name", snapshot.name}, {"problem", snapshot.problem}};
  const sock::Resources& limits = snapshot.spec.resources;
  nlohmann::json json{{"name", snapshot.name},
                      {"kind", kind_of(snapshot)},
                      {"container", snapshot.spec.name},
                      {"command", words(snapshot.spec.argv)},
                      {"root", sock::printable(snapshot.spec.rootfs.base)},
                      {"origins", words(snapshot.origins)},
                      {"created", time_text(snapshot.created)},
                      {"processes", snapshot.processes},
                      {"bytes", snapshot.bytes},
                      {"criu", snapshot.criu},
                      {"kernel", snapshot.kernel},
                      {"machine", snapshot.machine},
                      {"digest", snapshot.digest}};
  if (snapshot.kind == sock::Snapshot::Kind::container) {
    json["mapped_bytes"] = snapshot.mapped_bytes;
    json["copied"] = words(snapshot.copied);
  }
  if (limits.memory_max) json["memory_max"] = *limits.memory_max;
  if (limits.pids_max) json["pids_max"] = *limits.pids_max;
  return json;
}

Result<> print_snapshots(Format format, const std::vector<sock::Snapshot>& snapshots) {
  auto objects = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& snapshot : snapshots) {
    objects.push_back(to_json(snapshot));
    if (snapshot.problem.empty())
      rows.push_back({snapshot.name, kind_of(snapshot), std::to_string(snapshot.processes),
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
