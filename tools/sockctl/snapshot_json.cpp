// Snapshots for machines.

#include "snapshot_json.hpp"

#include <nlohmann/json.hpp>

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

}  // namespace sockctl
