// The document of a snapshot, written and read.

#include "checkpoint/manifest.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/bounded_json.hpp"
#include "base/try.hpp"
#include "checkpoint/json_reader.hpp"
#include "checkpoint/spec_json.hpp"

namespace sock::checkpoint {
namespace {

using nlohmann::json;

constexpr std::uint64_t format_version = 1;
constexpr std::size_t most_document = 16U << 20U;
constexpr int most_depth = 6;
constexpr std::uint64_t latest = 1ULL
                                 << 33U;  // Seconds: the year 2242. A clock counts nanoseconds.
constexpr std::size_t longest_file_name = 255;
constexpr const char* container_kind = "container";
constexpr const char* zygote_kind = "zygote";

std::unexpected<Error> corrupt(const std::string& what, std::string why) {
  return base::refuse(Errc::corrupt, Stage::checkpoint, what, std::move(why));
}

json files_to_json(const std::vector<SnapshotFile>& files) {
  json list = json::array();
  for (const auto& file : files)
    list.push_back(
        {{"name", file.name}, {"bytes", file.bytes}, {"digest", file.digest.to_string()}});
  return list;
}

// A plain name: it is opened below the snapshot's own directory.
bool is_file_name(const std::string& name) {
  return !name.empty() && name.size() <= longest_file_name && name.front() != '.' &&
         !name.contains('/') && !name.contains('\0');
}

Result<std::vector<SnapshotFile>> files_of(const json& value, const std::string& what) {
  std::vector<SnapshotFile> files;
  for (const json& item : SOCK_TRY(base::list_of(value, "files", what))) {
    auto name = SOCK_TRY(base::text_of(item, "name", what));
    const auto bytes = SOCK_TRY(base::number_of(item, "bytes", what));
    const auto digest_text = SOCK_TRY(base::text_of(item, "digest", what));
    auto digest = SOCK_TRY(store::Digest::parse(digest_text, what));
    if (!is_file_name(name)) return corrupt(what, "a file has a name that it cannot have");
    if (!files.empty() && files.back().name >= name) return corrupt(what, "files are out of order");
    files.push_back({.name = std::move(name), .bytes = bytes, .digest = std::move(digest)});
  }
  return files;
}

Result<std::vector<LentKey>> lent_of(const json& value, const std::string& what) {
  std::vector<LentKey> lent;
  for (const json& item : SOCK_TRY(base::list_of(value, "lent", what))) {
    auto role = SOCK_TRY(base::text_of(item, "role", what));
    auto key = SOCK_TRY(base::text_of(item, "key", what));
    lent.push_back({.role = std::move(role), .key = std::move(key)});
  }
  return lent;
}

Result<std::vector<Scratch>> scratch_of(const json& value, const std::string& what) {
  std::vector<Scratch> scratch;
  for (const json& item : SOCK_TRY(base::list_of(value, "scratch", what))) {
    auto place = SOCK_TRY(base::text_of(item, "place", what));
    const auto tree = SOCK_TRY(base::text_of(item, "tree", what));
    auto digest = SOCK_TRY(store::Digest::parse(tree, what));
    scratch.push_back({.place = std::move(place), .tree = std::move(digest)});
  }
  return scratch;
}

Result<Machine> machine_of(const json& value, const std::string& what) {
  const json* const object = base::find_member(value, "machine");
  if (object == nullptr) return corrupt(what, "no machine");
  Machine machine;
  machine.kernel = SOCK_TRY(base::text_of(*object, "kernel", what));
  machine.architecture = SOCK_TRY(base::text_of(*object, "architecture", what));
  machine.cpu_features = SOCK_TRY(base::texts_of(*object, "cpu_features", what));
  return machine;
}

constexpr std::int64_t most_deadline_ms = std::numeric_limits<std::uint32_t>::max();
constexpr std::array<std::pair<Runtime, const char*>, 2> runtime_words{
    {{Runtime::python, "python"}, {Runtime::native, "native"}}};

json zygote_to_json(const ZygoteState& zygote) {
  const bool is_native = zygote.runtime == Runtime::native;
  return {{"runtime", runtime_words[is_native ? 1 : 0].second},
          {"deadline_ms", std::clamp<std::int64_t>(zygote.deadline.count(), 0, most_deadline_ms)},
          {"vdso", zygote.vdso.to_string()}};
}

Result<std::optional<ZygoteState>> zygote_of(const json& value, const std::string& what) {
  const auto kind = SOCK_TRY(base::text_of(value, "kind", what));
  if (kind == container_kind) return std::nullopt;
  const json* const object = base::find_member(value, "zygote");
  if (kind != zygote_kind || object == nullptr) return corrupt(what, "of no kind that is known");
  Reader reader{*object};
  const auto runtime = reader.word("runtime", runtime_words);
  const std::chrono::milliseconds deadline{reader.number<std::uint32_t>("deadline_ms")};
  const auto vdso = SOCK_TRY(base::text_of(*object, "vdso", what));
  auto digest = SOCK_TRY(store::Digest::parse(vdso, what));
  if (!reader.is_good()) return corrupt(what, "its description of the zygote is damaged");
  return ZygoteState{.runtime = runtime, .deadline = deadline, .vdso = std::move(digest)};
}

json memory_to_json(const MemoryForms& memory) {
  return {{"mapped_bytes", memory.mapped_bytes}, {"copied", memory.copied}};
}

// Snapshots of before have none.
Result<MemoryForms> memory_of(const json& value, const std::string& what) {
  const json* const object = base::find_member(value, "memory");
  if (object == nullptr) return MemoryForms{};
  MemoryForms memory;
  memory.mapped_bytes = SOCK_TRY(base::number_of(*object, "mapped_bytes", what));
  memory.copied = SOCK_TRY(base::texts_of(*object, "copied", what));
  return memory;
}

Result<> require_known_format(const json& value, const std::string& what) {
  const auto format = SOCK_TRY(base::number_of(value, "format", what));
  if (format == format_version) return {};
  if (format < format_version) return corrupt(what, "no format");
  return base::refuse(Errc::unsupported, Stage::checkpoint, what,
                      "written by a newer version (format " + std::to_string(format) + ")");
}

}  // namespace

std::string Manifest::to_text() const {
  json scratch_list = json::array();
  for (const auto& each : scratch)
    scratch_list.push_back({{"place", each.place}, {"tree", each.tree.to_string()}});
  json lent_list = json::array();
  for (const auto& each : lent) lent_list.push_back({{"role", each.role}, {"key", each.key}});
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(created.time_since_epoch());
  json document{{"format", format_version},
                {"kind", zygote ? zygote_kind : container_kind},
                {"annotation", bytes_to_json(annotation)},
                {"created", seconds.count()},
                {"criu", criu},
                {"machine",
                 {{"kernel", machine.kernel},
                  {"architecture", machine.architecture},
                  {"cpu_features", machine.cpu_features}}},
                {"processes", processes},
                {"origins", origins},
                {"container", to_json(spec)},
                {"mounts", mounts},
                {"scratch", std::move(scratch_list)},
                {"lent", std::move(lent_list)},
                {"files", files_to_json(files)}};
  if (zygote)
    document["zygote"] = zygote_to_json(*zygote);
  else
    document["memory"] = memory_to_json(memory);
  return document.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<Manifest> Manifest::parse(std::string_view text, const std::string& what) {
  const json value =
      SOCK_TRY(base::parse_json(text, {.bytes = most_document, .depth = most_depth}, what));
  SOCK_TRY(require_known_format(value, what));
  const json* const container = base::find_member(value, "container");
  if (container == nullptr) return corrupt(what, "no container");
  auto spec = SOCK_TRY(spec_from_json(*container, what));
  Manifest manifest{.spec = std::move(spec)};
  const auto created = SOCK_TRY(base::number_of(value, "created", what));
  if (created > latest) return corrupt(what, "written in a year that no clock here knows");
  manifest.created = std::chrono::system_clock::time_point{std::chrono::seconds{created}};
  manifest.processes = SOCK_TRY(base::number_of(value, "processes", what));
  manifest.criu = SOCK_TRY(base::text_of(value, "criu", what));
  manifest.origins = SOCK_TRY(base::texts_of(value, "origins", what));
  manifest.machine = SOCK_TRY(machine_of(value, what));
  manifest.mounts = SOCK_TRY(base::texts_of(value, "mounts", what));
  manifest.scratch = SOCK_TRY(scratch_of(value, what));
  manifest.lent = SOCK_TRY(lent_of(value, what));
  manifest.files = SOCK_TRY(files_of(value, what));
  manifest.zygote = SOCK_TRY(zygote_of(value, what));
  manifest.memory = SOCK_TRY(memory_of(value, what));
  Reader reader{value};
  manifest.annotation = reader.text("annotation");
  if (!reader.is_good()) return corrupt(what, "no annotation");
  return manifest;
}

std::uint64_t Manifest::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& file : files) sum += file.bytes;
  return sum;
}

Snapshot describe(const Manifest& manifest, const std::string& name, std::string_view text) {
  return {.name = name,
          .kind = manifest.zygote ? Snapshot::Kind::zygote : Snapshot::Kind::container,
          .spec = manifest.spec,
          .origins = manifest.origins,
          .created = manifest.created,
          .processes = manifest.processes,
          .bytes = manifest.bytes(),
          .criu = manifest.criu,
          .kernel = manifest.machine.kernel,
          .machine = manifest.machine.architecture,
          .digest = store::Digest::of(text).to_string(),
          .annotation = manifest.annotation,
          .mapped_bytes = manifest.memory.mapped_bytes,
          .copied = manifest.memory.copied};
}

}  // namespace sock::checkpoint
