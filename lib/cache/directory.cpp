// Packages from directories.

#include "cache/directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/try.hpp"
#include "cache/metadata.hpp"
#include "cache/package_abi.hpp"
#include "cache/package_layout.hpp"
#include "cache/package_writer.hpp"
#include "store/directory_copy.hpp"
#include "store/directory_stack.hpp"
#include "store/entry_path.hpp"
#include "store/stage.hpp"
#include "store/tree_writer.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::cache {
namespace {

using Kind = store::TreeEntry::Kind;

Result<> check_kind(const std::string& path, const store::TreeEntry& entry) {
  constexpr mode_t set_id = S_ISUID | S_ISGID;
  const bool is_known =
      entry.is_directory() || entry.kind == Kind::file || entry.kind == Kind::symlink;
  if (!is_known) return store::corrupt("'" + path + "'", "no package may bring pipes");
  if (!entry.is_directory() && (entry.mode & set_id) != 0)
    return store::corrupt("'" + path + "'", "no package may bring set-user-ID programs");
  return {};
}

// Below site-packages, with modes and attributes that a package is kept with.
Result<store::TreeRecord> as_package(store::TreeRecord copied, FdRef modules) {
  store::DirectoryStack parents{modules};
  store::TreeRecord record;
  for (auto& [path, entry] : copied.entries) {
    SOCK_TRY(check_kind(path, entry));
    if (entry.kind == Kind::file && entry.mode != package_mode(entry)) {
      const FdRef parent = SOCK_TRY(parents.enter(store::parent_of(path)));
      const auto file = SOCK_TRY(
          sys::open_beneath(parent, std::string{store::last_of(path)}, O_RDONLY | O_NOFOLLOW));
      SOCK_TRY(sys::set_mode_of(file, package_mode(entry)));
    }
    entry.mode = package_mode(entry);
    const std::string inside{modules_directory};
    record.entries.emplace(path.empty() ? inside : inside + "/" + path, std::move(entry));
  }
  return record;
}

/// METADATA of the only .dist-info; empty where there is none, or several.
Result<std::optional<Metadata>> find_metadata(FdRef tree, const store::TreeRecord& record,
                                              const ImportLimits& limits) {
  std::optional<std::string> found;
  for (const auto& [path, entry] : record.entries) {
    if (!entry.is_directory() || store::parent_of(path) != modules_directory ||
        !path.ends_with(".dist-info"))
      continue;
    if (found) return std::optional<Metadata>{};
    found = path + "/METADATA";
  }
  if (!found) return std::optional<Metadata>{};
  const auto text = SOCK_TRY(sys::read_file(tree, *found, limits.document_max));
  auto metadata = SOCK_TRY(Metadata::parse(text, *found));
  return std::optional{std::move(metadata)};
}

}  // namespace

Result<UnpackedPackage> copy_package(FdRef from, const std::optional<Package>& given, FdRef tree,
                                     const ImportLimits& limits) {
  const store::TreePolicy policy{
      .limits = limits, .owners = store::Owners::ours, .devices = store::Devices::skip};
  store::Tally tally;
  const std::string name{modules_directory};
  SOCK_TRY(sys::make_dir(tree, name, 0700));
  const auto modules = SOCK_TRY(sys::open_beneath(tree, name, O_RDONLY | O_DIRECTORY));
  auto copied = SOCK_TRY(store::copy_directory(from, modules, policy, tally, [](std::uint64_t) {}));
  auto record = SOCK_TRY(as_package(std::move(copied), modules));
  const auto& top = record.entries.at(name);
  record.entries.emplace(
      "", store::TreeEntry{.kind = Kind::implicit, .mode = 0755, .uid = top.uid, .gid = top.gid});
  SOCK_TRY(store::finish_directories(tree, record, policy.owners));
  const auto metadata = SOCK_TRY(find_metadata(tree, record, limits));
  if (!given && !metadata)
    return base::refuse(Errc::invalid_spec, store::store_stage, "package",
                        "no metadata (one .dist-info) says its name: give NAME==VERSION");
  auto package = given ? *given : SOCK_TRY(package_in(*metadata, "METADATA"));
  if (package.version.empty())
    return base::refuse(Errc::invalid_spec, store::store_stage, package.name,
                        "its version is missing: give NAME==VERSION");
  auto abi = SOCK_TRY(abi_of_files(record));
  UnpackedPackage unpacked{
      .package = std::move(package), .abi = std::move(abi), .record = std::move(record)};
  if (metadata) unpacked.dependencies = metadata->all("Requires-Dist");
  return unpacked;
}

}  // namespace sock::cache
