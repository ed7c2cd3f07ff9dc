// The writing half of an import.

#include "store/tree_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/try.hpp"
#include "store/entry_path.hpp"
#include "store/stage.hpp"
#include "store/tree_removal.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"
#include "sys/mount.hpp"

namespace sock::store {
namespace {

using Kind = TreeEntry::Kind;

constexpr mode_t while_writing = 0700;

std::string entry_named(const std::string& path) {
  return "entry '" + path.substr(0, 300) + "'";
}

bool is_device(const TreeEntry& entry) {
  return entry.kind == Kind::character_device || entry.kind == Kind::block_device;
}

}  // namespace

bool TreeWriter::leaves_out(const ArchiveEntry& item) const noexcept {
  return is_device(item.entry) && item.hard_link.empty() && policy_.devices == Devices::skip;
}

Result<> TreeWriter::add(const std::string& path, ArchiveEntry item, ArchiveReader& data) {
  if (leaves_out(item) && !path.empty()) {
    ++tally_.devices_skipped;
    return make_room(path, item.entry);  // What it replaces is not there either.
  }
  auto placed = place(path, std::move(item), data);
  if (!placed && placed.error().stage == Stage::none) {
    placed.error().stage = store_stage;
    placed.error().subject = entry_named(path) + ": " + placed.error().subject;
  }
  return placed;
}

Result<> TreeWriter::place(const std::string& path, ArchiveEntry item, ArchiveReader& data) {
  TreeEntry entry = std::move(item.entry);
  if (policy_.owners == Owners::ours) {
    entry.uid = ::geteuid();
    entry.gid = ::getegid();
  }
  SOCK_TRY(filter_xattrs(entry, policy_, tally_, path));
  if (!item.hard_link.empty()) {
    const auto target = SOCK_TRY(clean_entry_path(item.hard_link, policy_.limits));
    return link(path, target);
  }
  if (path.empty() && !entry.is_directory())
    return corrupt("the root of an archive", "it is no directory");
  SOCK_TRY(make_room(path, entry));
  if (entry.is_directory()) {
    if (!path.empty() && !record_.entries.contains(path)) {
      const FdRef parent = SOCK_TRY(parent_for(path));
      SOCK_TRY(sys::make_dir(parent, std::string{last_of(path)}, while_writing));
    }
  } else {
    const FdRef parent = SOCK_TRY(parent_for(path));
    const std::string name{last_of(path)};
    if (entry.kind == Kind::file)
      SOCK_TRY(write_file(parent, name, entry, data));
    else
      SOCK_TRY(make_special(parent, name, entry, policy_.owners));
  }
  record_.entries.insert_or_assign(path, std::move(entry));
  return {};
}

// The last of several entries of one name wins; of two directories one remains, with what is in it.
Result<> TreeWriter::make_room(const std::string& path, const TreeEntry& entry) {
  const auto found = record_.entries.find(path);
  if (found == record_.entries.end()) return {};
  if (found->second.is_directory() && entry.is_directory()) return {};
  const FdRef parent = SOCK_TRY(parent_for(path));
  SOCK_TRY(remove_tree(parent, std::string{last_of(path)}));
  parents_.forget(path);
  targets_.forget(path);
  record_.erase(path);
  return {};
}

// Directories that no entry has described yet are made on the way.
Result<FdRef> TreeWriter::parent_for(const std::string& path) {
  const std::string_view parent = parent_of(path);
  for (std::size_t end = 0; end < parent.size();) {
    end = std::min(parent.find('/', end + 1), parent.size());
    const std::string_view above = parent.substr(0, end);
    const auto found = record_.entries.find(above);
    if (found != record_.entries.end() && found->second.is_directory()) continue;
    if (found != record_.entries.end())
      return corrupt(entry_named(path), "it lies below '" + std::string{above} +
                                            "', which is no directory in the same archive");
    SOCK_TRY(count_entry(tally_, policy_.limits, path, 0));
    const FdRef dir = SOCK_TRY(parents_.enter(parent_of(above)));
    SOCK_TRY(sys::make_dir(dir, std::string{last_of(above)}, while_writing));
    TreeEntry implicit{.kind = Kind::implicit, .mode = 0755};
    if (policy_.owners == Owners::ours) {
      implicit.uid = ::geteuid();
      implicit.gid = ::getegid();
    }
    record_.entries.emplace(std::string{above}, std::move(implicit));
  }
  return parents_.enter(parent);
}

Result<> TreeWriter::link(const std::string& path, const std::string& target) {
  if (path == target) return {};
  if (path.empty()) return corrupt("the root of an archive", "it is a hard link");
  if (!record_.entries.contains(target))
    return corrupt(entry_named(path),
                   "a hard link to '" + target + "', which is not in its archive");
  SOCK_TRY(make_room(path, record_.entries.find(target)->second));
  // Looked up again: making room may have removed it.
  const auto found = record_.entries.find(target);
  if (found == record_.entries.end() || found->second.is_directory())
    return corrupt(entry_named(path),
                   "a hard link to '" + target + "', which is no file of its archive");
  const FdRef parent = SOCK_TRY(parent_for(path));
  const FdRef other = SOCK_TRY(targets_.enter(parent_of(target)));
  SOCK_TRY(sys::make_link(other, std::string{last_of(target)}, parent, std::string{last_of(path)}));
  if (found->second.group == 0) found->second.group = ++last_group_;
  record_.entries.insert_or_assign(path, found->second);
  return {};
}

Result<> TreeWriter::write_file(FdRef parent, const std::string& name, TreeEntry& entry,
                                ArchiveReader& data) {
  const UniqueFd file =
      SOCK_TRY(sys::open_beneath(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  std::uint64_t end = 0;
  const auto take = [&](std::string_view bytes, std::uint64_t offset) -> Result<> {
    if (offset < end || offset > entry.size || bytes.size() > entry.size - offset)
      return corrupt(entry_named(name), "data where its size does not allow any");
    hash_.update_zeros(offset - end);
    hash_.update(bytes);
    end = offset + bytes.size();
    return sys::write_at_offset(file, bytes, offset);
  };
  SOCK_TRY(data.read_data(take));
  if (end < entry.size) {
    hash_.update_zeros(entry.size - end);
    SOCK_TRY(sys::set_size(file, entry.size));
  }
  entry.content = hash_.finish().hex();
  return set_metadata(file, entry, policy_.owners);
}

Result<TreeRecord> TreeWriter::finish() {
  TreeEntry root{.kind = Kind::implicit, .mode = 0755};
  if (policy_.owners == Owners::ours) {
    root.uid = ::geteuid();
    root.gid = ::getegid();
  }
  record_.entries.emplace("", std::move(root));
  SOCK_TRY(base::in_stage(store_stage, finish_directories(root_, record_, policy_.owners)));
  return std::move(record_);
}

Result<> make_special(FdRef parent, const std::string& name, const TreeEntry& entry,
                      Owners owners) {
  switch (entry.kind) {
    case Kind::symlink:
      SOCK_TRY(sys::make_symlink(parent, name, entry.target));
      break;
    case Kind::fifo:
      SOCK_TRY(sys::make_node(parent, name, S_IFIFO | 0600, 0));
      break;
    case Kind::character_device:
      SOCK_TRY(sys::make_node(parent, name, S_IFCHR | 0600, entry.device));
      break;
    case Kind::block_device:
      SOCK_TRY(sys::make_node(parent, name, S_IFBLK | 0600, entry.device));
      break;
    default:
      std::unreachable();
  }
  if (owners == Owners::as_recorded)
    SOCK_TRY(sys::set_owner_at(parent, name, entry.uid, entry.gid));
  // It is what was just made there, and no link: its mode may be set by name.
  if (entry.kind != Kind::symlink) SOCK_TRY(sys::set_mode(parent, name, entry.mode));
  return sys::set_times_at(parent, name, entry.mtime);
}

Result<> set_metadata(FdRef file, const TreeEntry& entry, Owners owners) {
  // In this order: a new owner takes away capabilities and set-user-ID bits, and a mode may keep
  // the owner from setting attributes.
  if (owners == Owners::as_recorded) SOCK_TRY(sys::set_owner(file, entry.uid, entry.gid));
  for (const auto& xattr : entry.xattrs) SOCK_TRY(sys::set_xattr(file, xattr));
  SOCK_TRY(sys::set_mode_of(file, entry.mode));
  return sys::set_times(file, entry.mtime);
}

Result<> finish_directories(FdRef root, const TreeRecord& record, Owners owners) {
  DirectoryStack parents{root};
  for (auto item = record.entries.rbegin(); item != record.entries.rend(); ++item) {
    const auto& [path, entry] = *item;
    if (!entry.is_directory()) continue;
    const FdRef parent = SOCK_TRY(parents.enter(parent_of(path)));
    const std::string name = path.empty() ? "." : std::string{last_of(path)};
    const UniqueFd directory = SOCK_TRY(sys::open_beneath(parent, name, O_RDONLY | O_DIRECTORY));
    SOCK_TRY(set_metadata(directory, entry, owners));
  }
  return {};
}

}  // namespace sock::store
