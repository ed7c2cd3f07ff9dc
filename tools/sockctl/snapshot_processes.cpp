// What a snapshot holds, process by process, for people and machines.

#include <sys/mman.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "listing.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "snapshot_json.hpp"

namespace sockctl {
namespace {

using Process = sock::SnapshotProcess;
using Rows = std::vector<std::vector<std::string>>;

struct Sizes {
  std::uint64_t all = 0;
  std::uint64_t copied = 0;
  std::uint64_t mapped = 0;
};

Sizes sizes_of(const Process& process) {
  Sizes sizes;
  for (const auto& mapping : process.mappings) {
    sizes.all += mapping.end - mapping.begin;
    sizes.copied += mapping.copied_bytes;
    sizes.mapped += mapping.mapped_bytes;
  }
  return sizes;
}

// As /proc/PID/maps writes it.
std::string access_of(const Process::Mapping& mapping) {
  return {(mapping.protection & PROT_READ) != 0 ? 'r' : '-',
          (mapping.protection & PROT_WRITE) != 0 ? 'w' : '-',
          (mapping.protection & PROT_EXEC) != 0 ? 'x' : '-', mapping.is_shared ? 's' : 'p'};
}

std::string pid_text(pid_t pid) {
  return pid > 0 ? std::to_string(pid) : "-";
}

std::string cell_of(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string size_text(std::uint64_t bytes) {
  return bytes > 0 ? human_size(bytes) : "-";
}

Rows process_rows(const std::vector<Process>& processes) {
  Rows rows;
  for (const auto& process : processes) {
    const Sizes sizes = sizes_of(process);
    rows.push_back({pid_text(process.pid), pid_text(process.parent), cell_of(process.name),
                    std::to_string(process.threads), std::to_string(process.descriptors.size()),
                    human_size(sizes.all), size_text(sizes.copied), size_text(sizes.mapped),
                    cell_of(process.program)});
  }
  return rows;
}

Rows mapping_rows(const std::vector<Process>& processes) {
  Rows rows;
  for (const auto& process : processes)
    for (const auto& mapping : process.mappings)
      rows.push_back({pid_text(process.pid), fmt::format("{:x}-{:x}", mapping.begin, mapping.end),
                      access_of(mapping), human_size(mapping.end - mapping.begin),
                      size_text(mapping.copied_bytes), size_text(mapping.mapped_bytes),
                      cell_of(mapping.what)});
  return rows;
}

Rows descriptor_rows(const std::vector<Process>& processes) {
  Rows rows;
  for (const auto& process : processes)
    for (const auto& descriptor : process.descriptors)
      rows.push_back({pid_text(process.pid), std::to_string(descriptor.number), descriptor.kind,
                      cell_of(descriptor.name)});
  return rows;
}

nlohmann::json to_json(const Process& process) {
  auto mappings = nlohmann::json::array();
  for (const auto& mapping : process.mappings)
    mappings.push_back({{"begin", mapping.begin},
                        {"end", mapping.end},
                        {"access", access_of(mapping)},
                        {"what", sock::printable(mapping.what)},
                        {"copied_bytes", mapping.copied_bytes},
                        {"mapped_bytes", mapping.mapped_bytes}});
  auto descriptors = nlohmann::json::array();
  for (const auto& descriptor : process.descriptors)
    descriptors.push_back({{"number", descriptor.number},
                           {"kind", descriptor.kind},
                           {"name", sock::printable(descriptor.name)}});
  return {{"pid", process.pid},
          {"parent", process.parent},
          {"name", sock::printable(process.name)},
          {"program", sock::printable(process.program)},
          {"threads", process.threads},
          {"memory", std::move(mappings)},
          {"descriptors", std::move(descriptors)}};
}

}  // namespace

nlohmann::json to_json(const std::vector<sock::SnapshotProcess>& processes) {
  auto list = nlohmann::json::array();
  for (const auto& process : processes) list.push_back(to_json(process));
  return list;
}

Result<> print_processes(const std::vector<sock::SnapshotProcess>& processes) {
  constexpr auto right = Column::Align::right;
  constexpr sock::FdRef out{1};
  const std::string tree = SOCKCTL_TRY(table({{"PID", right},
                                              {"PARENT", right},
                                              {"NAME"},
                                              {"THREADS", right},
                                              {"DESCRIPTORS", right},
                                              {"MEMORY", right},
                                              {"COPIED", right},
                                              {"MAPPED", right},
                                              {"PROGRAM"}},
                                             process_rows(processes)));
  const std::string memory = SOCKCTL_TRY(table({{"PID", right},
                                                {"ADDRESSES"},
                                                {"ACCESS"},
                                                {"SIZE", right},
                                                {"COPIED", right},
                                                {"MAPPED", right},
                                                {"WHAT"}},
                                               mapping_rows(processes)));
  SOCKCTL_TRY(write_all(out, tree + "\n\n" + memory + "\n"));
  const Rows rows = descriptor_rows(processes);
  if (rows.empty()) return {};
  const std::string descriptors =
      SOCKCTL_TRY(table({{"PID", right}, {"DESCRIPTOR", right}, {"KIND"}, {"NAME"}}, rows));
  return write_all(out, "\n" + descriptors + "\n");
}

}  // namespace sockctl
