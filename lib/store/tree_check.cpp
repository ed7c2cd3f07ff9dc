// Comparing a tree with its record.

#include "store/tree_check.hpp"

#include <map>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/try.hpp"
#include "loader/read_ahead.hpp"
#include "store/digest.hpp"
#include "store/directory_stack.hpp"
#include "store/entry_path.hpp"
#include "store/stage.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::store {
namespace {

using Kind = TreeEntry::Kind;

// Empty when the inode is as recorded.
std::string difference(const TreeEntry& entry, const sys::Inode& found) {
  if ((found.mode & S_IFMT) != file_type(entry.kind)) return "it is of another type";
  if (found.uid != entry.uid || found.gid != entry.gid) return "its owner is another";
  if (entry.kind != Kind::symlink && (found.mode & 07777U) != entry.mode)
    return "its mode is another";
  if (entry.kind == Kind::file && found.size != entry.size) return "its size is another";
  if (found.mtime.tv_sec != entry.mtime.tv_sec || found.mtime.tv_nsec != entry.mtime.tv_nsec)
    return "its time is another";
  const bool is_device = entry.kind == Kind::character_device || entry.kind == Kind::block_device;
  if (is_device && found.node != entry.device) return "it is another device";
  return {};
}

class TreeCheck {
 public:
  TreeCheck(FdRef root, const TreeRecord& record, std::string name, Verification& found)
      : parents_{root}, record_{record}, name_{std::move(name)}, found_{found} {}

  Result<> check(const std::string& path, const TreeEntry& entry) {
    const auto parent = parents_.enter(parent_of(path));
    if (!parent.has_value()) return problem(path, "its directory is missing");
    const std::string last = path.empty() ? "." : std::string{last_of(path)};
    const auto inode = sys::inode_at(*parent, last);
    if (!inode.has_value()) return problem(path, "it is missing");
    if (const auto why = difference(entry, *inode); !why.empty()) return problem(path, why);
    if (entry.group != 0) {
      const auto number = groups_.emplace(entry.group, inode->number).first->second;
      if (number != inode->number) return problem(path, "it is no hard link any more");
    }
    if (entry.kind == Kind::symlink) {
      if (SOCK_TRY(sys::read_symlink(*parent, last)) != entry.target)
        return problem(path, "it points to something else");
      return {};
    }
    if (entry.kind != Kind::file && !entry.is_directory()) return {};
    const UniqueFd file = SOCK_TRY(sys::open_beneath(*parent, last, O_RDONLY | O_NOFOLLOW));
    if (entry.is_directory()) SOCK_TRY(check_names(path, file));
    if (entry.kind == Kind::file) SOCK_TRY(check_content(path, entry, file));
    if (kept_xattrs(SOCK_TRY(sys::list_xattrs(file))) != entry.xattrs)
      return problem(path, "its extended attributes are others");
    return {};
  }

 private:
  Result<> problem(const std::string& path, const std::string& why) {
    constexpr std::size_t most = 100;
    if (found_.problems.size() < most) found_.problems.push_back(name_ + "/" + path + ": " + why);
    return {};
  }

  static std::vector<sys::Xattr> kept_xattrs(std::vector<sys::Xattr> xattrs) {
    std::erase_if(xattrs, [](const sys::Xattr& xattr) { return !keeps_xattr(xattr.name); });
    return xattrs;
  }

  Result<> check_names(const std::string& path, FdRef directory) {
    for (const auto& name : SOCK_TRY(sys::list_dir(directory))) {
      const std::string inner = path.empty() ? name : path + "/" + name;
      if (!record_.entries.contains(inner)) SOCK_TRY(problem(inner, "nobody imported it"));
    }
    return {};
  }

  Result<> check_content(const std::string& path, const TreeEntry& entry, FdRef file) {
    std::uint64_t offset = 0;
    for (;;) {
      const auto count = SOCK_TRY(sys::read_some(file, buffer_.data(), buffer_.size()));
      if (count == 0) break;
      hash_.update({buffer_.data(), count});
      offset += count;
    }
    ++found_.files;
    found_.bytes += offset;
    if (hash_.finish().hex() != entry.content) return problem(path, "its content is another");
    return {};
  }

  DirectoryStack parents_;
  const TreeRecord& record_;
  const std::string name_;
  Verification& found_;
  std::map<std::uint64_t, std::uint64_t> groups_;
  Sha256 hash_;
  std::string buffer_ = std::string(256U << 10U, '\0');
};

loader::ReadAhead::Next files_of(const TreeRecord& record) {
  return [next = record.entries.begin(), end = record.entries.end()]() mutable {
    while (next != end && next->second.kind != Kind::file) ++next;
    std::optional<loader::WholeFile> file;
    if (next == end) return file;
    file = {.path = next->first, .size = next->second.size};
    ++next;
    return file;
  };
}

}  // namespace

Result<> check_tree(FdRef root, const TreeRecord& record, const std::string& name,
                    Verification& found) {
  TreeCheck check{root, record, name, found};
  loader::ReadAhead ahead{root, files_of(record)};
  for (const auto& [path, entry] : record.entries) {
    if (entry.kind == Kind::file) ahead.before_one();
    SOCK_TRY(base::in_stage(store_stage, check.check(path, entry)));
  }
  return {};
}

}  // namespace sock::store
