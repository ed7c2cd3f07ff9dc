// Wheels: nothing of one is believed but what its RECORD's hashes confirm.

#include "cache/wheel.hpp"

#include <algorithm>
#include <set>

#include "base/try.hpp"
#include "cache/metadata.hpp"
#include "cache/package_layout.hpp"
#include "cache/package_writer.hpp"
#include "cache/wheel_name.hpp"
#include "cache/wheel_record.hpp"
#include "store/archive_reader.hpp"
#include "store/entry_path.hpp"
#include "store/stage.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::cache {
namespace {

using Kind = store::TreeEntry::Kind;

std::string entry_named(const std::string& path) {
  return "entry '" + path.substr(0, 300) + "'";
}

Result<store::TreeRecord> unpack(store::ArchiveReader& reader, PackageWriter& writer,
                                 const WheelName& name, const ImportLimits& limits) {
  while (auto entry = SOCK_TRY(reader.next())) {
    SOCK_TRY(writer.check(*entry));
    if (entry->path.starts_with('/'))
      return store::corrupt(entry_named(entry->path), "an absolute path");
    if (!entry->entry.is_directory() && entry->entry.kind != Kind::file)
      return store::corrupt(entry_named(entry->path), "a wheel holds files and directories only");
    const auto clean = SOCK_TRY(store::clean_entry_path(entry->path, limits));
    const auto path = SOCK_TRY(place_in_wheel(clean, name.package));
    SOCK_TRY(writer.add(path, std::move(*entry), reader));
  }
  return writer.finish();
}

// The one .dist-info directory that is the package's own.
Result<std::string> find_metadata(const store::TreeRecord& record, const WheelName& name,
                                  const std::string& file) {
  for (const auto& [path, entry] : record.entries)
    if (entry.is_directory() && store::parent_of(path) == modules_directory &&
        is_own_directory(store::last_of(path), ".dist-info", name.package))
      return path;
  return store::corrupt(file, "no .dist-info of " + name.package.to_string() + " is in it");
}

// RECORD has no hash of itself, nor of its signatures.
bool needs_no_hash(const std::string& path, const std::string& metadata) {
  const std::string record = metadata + "/RECORD";
  return path == record || path == record + ".jws" || path == record + ".p7s";
}

Result<> check_recorded(const RecordedFile& file, const std::string& path,
                        const store::TreeRecord& record) {
  const auto found = record.entries.find(path);
  if (found == record.entries.end() || found->second.kind != Kind::file)
    return store::corrupt(entry_named(file.path), "RECORD has it, the wheel does not");
  if (file.hash.empty()) return store::corrupt(entry_named(file.path), "RECORD has no hash of it");
  if (!file.hash.starts_with("sha256="))
    return base::refuse(Errc::unsupported, store::store_stage, entry_named(file.path),
                        "RECORD has another hash of it than sha256");
  if (file.hash != recorded_hash(found->second.content))
    return store::corrupt(entry_named(file.path), "RECORD has another hash of it");
  if (file.size && *file.size != found->second.size)
    return store::corrupt(entry_named(file.path), "RECORD has another size of it");
  return {};
}

Result<> check_against_record(std::string_view text, const std::string& metadata,
                              const WheelName& name, const store::TreeRecord& record,
                              const ImportLimits& limits) {
  std::set<std::string> recorded;
  for (const auto& file : SOCK_TRY(parse_wheel_record(text))) {
    const auto clean = SOCK_TRY(store::clean_entry_path(file.path, limits));
    auto path = SOCK_TRY(place_in_wheel(clean, name.package));
    if (!needs_no_hash(path, metadata)) SOCK_TRY(check_recorded(file, path, record));
    recorded.insert(std::move(path));
  }
  for (const auto& [path, entry] : record.entries)
    if (entry.kind == Kind::file && !recorded.contains(path) && !needs_no_hash(path, metadata))
      return store::corrupt(entry_named(path), "RECORD does not have it");
  return {};
}

Result<Metadata> read_metadata(FdRef tree, const std::string& path, const ImportLimits& limits) {
  const auto text = SOCK_TRY(sys::read_file(tree, path, limits.document_max));
  return Metadata::parse(text, path);
}

}  // namespace

Result<UnpackedPackage> unpack_wheel(FdRef file, const std::string& name, FdRef tree,
                                     const ImportLimits& limits) {
  const auto named = SOCK_TRY(parse_wheel_name(name));
  auto abi = SOCK_TRY(abi_of_tags(named.tags, name));
  const auto size = SOCK_TRY(sys::inode(file))
  .size;
  store::ArchiveReader reader{store::ArchiveFormat::zip, file, {name}, limits};
  PackageWriter writer{tree, limits, size, Repetition::refused};
  auto record = SOCK_TRY(unpack(reader, writer, named, limits));
  const auto directory = SOCK_TRY(find_metadata(record, named, name));
  const auto recorded = SOCK_TRY(sys::read_file(tree, directory + "/RECORD", limits.bytes_max));
  SOCK_TRY(check_against_record(recorded, directory, named, record, limits));
  const auto wheel = SOCK_TRY(read_metadata(tree, directory + "/WHEEL", limits));
  if (!wheel.first("Wheel-Version").starts_with("1."))
    return base::refuse(Errc::unsupported, store::store_stage, name,
                        "a wheel of version '" + wheel.first("Wheel-Version") + "'");
  const auto metadata = SOCK_TRY(read_metadata(tree, directory + "/METADATA", limits));
  if (SOCK_TRY(package_in(metadata, directory + "/METADATA")) != named.package)
    return store::corrupt(name, "its METADATA names another package than its file name");
  return UnpackedPackage{.package = named.package,
                         .abi = std::move(abi),
                         .origin = name,
                         .dependencies = metadata.all("Requires-Dist"),
                         .record = std::move(record)};
}

}  // namespace sock::cache
