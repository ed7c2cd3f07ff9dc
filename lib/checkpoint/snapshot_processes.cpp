// Putting together what CRIU's images, or a zygote's plan, say.

#include "checkpoint/snapshot_processes.hpp"

#include <map>
#include <set>
#include <string>

#include "base/try.hpp"
#include "checkpoint/criu_image_files.hpp"
#include "checkpoint/criu_processes.hpp"
#include "checkpoint/process_image.hpp"
#include "checkpoint/told_bounds.hpp"
#include "checkpoint/told_mappings.hpp"
#include "sys/file.hpp"

namespace sock::checkpoint {
namespace {

constexpr std::size_t most_bytes = 32U << 20U;  // Of one image: a hundred times what is usual.

using Files = std::map<std::uint64_t, CriuOpenFile>;
using Table = std::vector<CriuDescriptor>;

Result<std::string> read_image(FdRef images, const std::string& name) {
  return base::in_stage(Stage::checkpoint, sys::read_file(images, name, most_bytes));
}

/// One process after the other, within the bounds of them all.
class ProcessReader {
 public:
  ProcessReader(FdRef images, const Files& files) : images_{images}, files_{files} {}

  Result<SnapshotProcess> read(const CriuProcess& listed) {
    const std::string pid = std::to_string(listed.pid);
    SnapshotProcess process{.pid = listed.pid, .parent = listed.parent, .threads = listed.threads};
    const std::string core = "core-" + pid + ".img";
    const auto core_bytes = SOCK_TRY(read_image(images_, core));
    process.name = SOCK_TRY(parse_process_name(core_bytes, core));
    SOCK_TRY(bounds_.add_name(process.name.size()));
    const std::string name = memory_image(pid);
    const auto bytes = read_image(images_, name);
    // One that has ended, and that nobody has waited for, has neither memory nor descriptors.
    if (!bytes.has_value() && bytes.error().code == Errc::not_found) return process;
    if (!bytes.has_value()) return std::unexpected(bytes.error());
    const auto memory = SOCK_TRY(CriuMemory::parse(*bytes, name));
    const std::string map_name = "pagemap-" + pid + ".img";
    const auto map_bytes = SOCK_TRY(read_image(images_, map_name));
    const auto map = SOCK_TRY(CriuPageMap::parse(map_bytes, map_name));
    process.mappings = SOCK_TRY(told_mappings(memory.areas(), map.pages, files_, bounds_));
    if (const auto program = files_.find(memory.program()); program != files_.end())
      process.program = program->second.name;
    SOCK_TRY(bounds_.add_name(process.program.size()));
    process.descriptors = SOCK_TRY(descriptors_of(pid));
    return process;
  }

 private:
  Result<std::vector<SnapshotProcess::Descriptor>> descriptors_of(const std::string& pid) {
    const Table* const table = SOCK_TRY(table_of(pid));
    SOCK_TRY(bounds_.add_descriptors(table->size()));
    std::vector<SnapshotProcess::Descriptor> told;
    told.reserve(table->size());
    for (const CriuDescriptor& each : *table) {
      const auto file = files_.find(each.file);
      if (file == files_.end()) {
        told.push_back({.number = each.number, .kind = "unknown"});
        continue;
      }
      SOCK_TRY(bounds_.add_name(file->second.name.size()));
      told.push_back({.number = each.number, .kind = file->second.kind, .name = file->second.name});
    }
    return told;
  }

  Result<const Table*> table_of(const std::string& pid) {
    const std::string ids = "ids-" + pid + ".img";
    const auto shared = SOCK_TRY(read_image(images_, ids));
    const auto number = SOCK_TRY(parse_descriptor_table(shared, ids));
    if (const auto known = tables_.find(number); known != tables_.end()) return &known->second;
    const std::string name = "fdinfo-" + std::to_string(number) + ".img";
    const auto bytes = SOCK_TRY(read_image(images_, name));
    auto table = SOCK_TRY(parse_descriptors(bytes, name));
    return &tables_.emplace(number, std::move(table)).first->second;
  }

  FdRef images_;
  const Files& files_;
  std::map<std::uint32_t, Table> tables_;  // Any number of processes may share one: read once.
  ToldBounds bounds_;
};

Result<std::vector<SnapshotProcess>> container_processes(FdRef images) {
  const auto tree = SOCK_TRY(read_image(images, "pstree.img"));
  const auto listed = SOCK_TRY(parse_processes(tree, "pstree.img"));
  if (listed.size() > ToldBounds::most_processes)
    return base::refuse(Errc::corrupt, Stage::checkpoint, "pstree.img", "too many processes");
  const auto files_bytes = SOCK_TRY(read_image(images, files_image));
  const auto files = SOCK_TRY(parse_open_files(files_bytes, files_image));
  ProcessReader reader{images, files};
  std::vector<SnapshotProcess> processes;
  std::set<pid_t> pids;
  for (const auto& each : listed) {
    if (!pids.insert(each.pid).second)
      return base::refuse(Errc::corrupt, Stage::checkpoint, "pstree.img", "a process twice");
    processes.push_back(SOCK_TRY(reader.read(each)));
  }
  return processes;
}

}  // namespace

Result<std::vector<SnapshotProcess>> processes_of(FdRef images, const Manifest& manifest) {
  if (!manifest.zygote) return container_processes(images);
  const auto plan = SOCK_TRY(read_image(images, plan_name));
  SnapshotProcess zygote{.threads = 1};
  ToldBounds bounds;
  zygote.mappings = SOCK_TRY(told_mappings(plan, bounds));
  if (!manifest.spec.argv.empty()) zygote.program = manifest.spec.argv.front();
  return std::vector{std::move(zygote)};
}

}  // namespace sock::checkpoint
