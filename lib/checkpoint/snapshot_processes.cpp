// Putting together what CRIU's images, or a zygote's plan, say.

#include "checkpoint/snapshot_processes.hpp"

#include <map>
#include <set>
#include <string>

#include "base/try.hpp"
#include "checkpoint/criu_image_files.hpp"
#include "checkpoint/criu_processes.hpp"
#include "checkpoint/process_image.hpp"
#include "checkpoint/told_mappings.hpp"
#include "sys/file.hpp"

namespace sock::checkpoint {
namespace {

constexpr std::size_t most_bytes = 32U << 20U;  // Of one image: a hundred times what is usual.
constexpr std::size_t most_processes = 10'000;
constexpr std::size_t most_names = 64U << 20U;  // Bytes, of all processes.

using Files = std::map<std::uint64_t, CriuOpenFile>;

Result<std::string> read_image(FdRef images, const std::string& name) {
  return base::in_stage(Stage::checkpoint, sys::read_file(images, name, most_bytes));
}

Result<std::vector<SnapshotProcess::Descriptor>> descriptors_of(FdRef images,
                                                                const std::string& pid,
                                                                const Files& files) {
  const std::string ids = "ids-" + pid + ".img";
  const auto shared = SOCK_TRY(read_image(images, ids));
  const auto table = SOCK_TRY(parse_descriptor_table(shared, ids));
  const std::string name = "fdinfo-" + std::to_string(table) + ".img";
  const auto bytes = SOCK_TRY(read_image(images, name));
  std::vector<SnapshotProcess::Descriptor> told;
  for (const auto& each : SOCK_TRY(parse_descriptors(bytes, name))) {
    const auto file = files.find(each.file);
    if (file == files.end())
      told.push_back({.number = each.number, .kind = "unknown"});
    else
      told.push_back({.number = each.number, .kind = file->second.kind, .name = file->second.name});
  }
  return told;
}

Result<SnapshotProcess> process_of(FdRef images, const CriuProcess& listed, const Files& files) {
  const std::string pid = std::to_string(listed.pid);
  SnapshotProcess process{.pid = listed.pid, .parent = listed.parent, .threads = listed.threads};
  const std::string core = "core-" + pid + ".img";
  const auto core_bytes = SOCK_TRY(read_image(images, core));
  process.name = SOCK_TRY(parse_process_name(core_bytes, core));
  const std::string name = memory_image(pid);
  const auto bytes = read_image(images, name);
  // One that has ended, and that nobody has waited for, has neither memory nor descriptors.
  if (!bytes.has_value() && bytes.error().code == Errc::not_found) return process;
  if (!bytes.has_value()) return std::unexpected(bytes.error());
  const auto memory = SOCK_TRY(CriuMemory::parse(*bytes, name));
  const std::string map_name = "pagemap-" + pid + ".img";
  const auto map_bytes = SOCK_TRY(read_image(images, map_name));
  const auto map = SOCK_TRY(CriuPageMap::parse(map_bytes, map_name));
  process.mappings = SOCK_TRY(told_mappings(memory.areas(), map.pages, files));
  if (const auto program = files.find(memory.program()); program != files.end())
    process.program = program->second.name;
  process.descriptors = SOCK_TRY(descriptors_of(images, pid, files));
  return process;
}

// Each mapping and each descriptor has its file's name.
std::size_t bytes_of_names(const SnapshotProcess& process) {
  std::size_t bytes = 0;
  for (const auto& each : process.mappings) bytes += each.what.size();
  for (const auto& each : process.descriptors) bytes += each.name.size();
  return bytes;
}

Result<std::vector<SnapshotProcess>> container_processes(FdRef images) {
  const auto tree = SOCK_TRY(read_image(images, "pstree.img"));
  const auto listed = SOCK_TRY(parse_processes(tree, "pstree.img"));
  if (listed.size() > most_processes)
    return base::refuse(Errc::corrupt, Stage::checkpoint, "pstree.img", "too many processes");
  const auto files_bytes = SOCK_TRY(read_image(images, files_image));
  const auto files = SOCK_TRY(parse_open_files(files_bytes, files_image));
  std::vector<SnapshotProcess> processes;
  std::set<pid_t> pids;
  std::size_t bytes = 0;
  for (const auto& each : listed) {
    if (!pids.insert(each.pid).second)
      return base::refuse(Errc::corrupt, Stage::checkpoint, "pstree.img", "a process twice");
    processes.push_back(SOCK_TRY(process_of(images, each, files)));
    bytes += bytes_of_names(processes.back());
    if (bytes > most_names)
      return base::refuse(Errc::corrupt, Stage::checkpoint, "pstree.img",
                          "its processes have too many mappings");
  }
  return processes;
}

}  // namespace

Result<std::vector<SnapshotProcess>> processes_of(FdRef images, const Manifest& manifest) {
  if (!manifest.zygote) return container_processes(images);
  const auto plan = SOCK_TRY(read_image(images, plan_name));
  SnapshotProcess zygote{.threads = 1};
  zygote.mappings = SOCK_TRY(told_mappings(plan));
  if (!manifest.spec.argv.empty()) zygote.program = manifest.spec.argv.front();
  return std::vector{std::move(zygote)};
}

}  // namespace sock::checkpoint
