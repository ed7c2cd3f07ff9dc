// Copying a plain directory.

#include "store/directory_copy.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/try.hpp"
#include "store/entry_path.hpp"
#include "store/stage.hpp"
#include "store/tree_writer.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::store {
namespace {

using Kind = TreeEntry::Kind;

std::optional<Kind> kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return Kind::file;
    case S_IFDIR:
      return Kind::directory;
    case S_IFLNK:
      return Kind::symlink;
    case S_IFIFO:
      return Kind::fifo;
    case S_IFCHR:
      return Kind::character_device;
    case S_IFBLK:
      return Kind::block_device;
    default:
      return std::nullopt;  // A socket, which means nothing without its process.
  }
}

class DirectoryCopy {
 public:
  DirectoryCopy(FdRef to, const TreePolicy& policy, Tally& tally, const CopyProgress& progress)
      : to_{to}, policy_{policy}, tally_{tally}, progress_{progress}, parents_{to} {}

  Result<TreeRecord> copy(FdRef from) {
    const auto top = SOCK_TRY(sys::inode(from));
    device_ = top.device;
    const auto target = SOCK_TRY(sys::inode(to_));
    target_ = target.device == device_ ? target.number : 0;
    SOCK_TRY(add_directory("", top, from));
    UniqueFd directory = SOCK_TRY(sys::duplicate(from));
    auto left = SOCK_TRY(sys::list_dir(from));
    levels_.push_back({.directory = std::move(directory), .path = "", .left = std::move(left)});
    while (!levels_.empty()) {
      if (levels_.back().left.empty()) {
        levels_.pop_back();
        continue;
      }
      const std::string name = std::move(levels_.back().left.back());
      levels_.back().left.pop_back();
      SOCK_TRY(add(name));
      progress_(0);
    }
    SOCK_TRY(finish_directories(to_, record_, policy_.owners));
    return std::move(record_);
  }

 private:
  struct Level {
    UniqueFd directory;
    std::string path;
    std::vector<std::string> left;
  };

  Result<> add(const std::string& name) {
    const FdRef from = levels_.back().directory;
    const std::string path = levels_.back().path.empty() ? name : levels_.back().path + "/" + name;
    SOCK_TRY(clean_entry_path(path, policy_.limits));
    const auto inode = SOCK_TRY(sys::inode_at(from, name));
    const auto kind = kind_of(inode.mode);
    if (!kind) return {};
    if (*kind == Kind::directory) return enter(from, name, path, inode);
    if (inode.links > 1 && SOCK_TRY(link_again(path, inode))) return {};
    TreeEntry entry = describe(inode);
    SOCK_TRY(count_entry(tally_, policy_.limits, path, entry.size));
    const FdRef parent = SOCK_TRY(parents_.enter(parent_of(path)));
    if (*kind == Kind::file) {
      SOCK_TRY(copy_file(from, name, parent, path, entry));
    } else {
      const bool is_device = *kind == Kind::character_device || *kind == Kind::block_device;
      if (is_device && policy_.devices == Devices::skip) {
        ++tally_.devices_skipped;
        return {};
      }
      if (*kind == Kind::symlink) entry.target = SOCK_TRY(sys::read_symlink(from, name));
      SOCK_TRY(make_special(parent, name, entry, policy_.owners));
    }
    if (inode.links > 1) first_names_.emplace(inode.number, path);
    record_.entries.emplace(path, std::move(entry));
    return {};
  }

  TreeEntry describe(const sys::Inode& inode) const {
    const Kind kind = *kind_of(inode.mode);
    TreeEntry entry{.kind = kind, .mode = inode.mode & 07777U};
    const bool is_ours = policy_.owners == Owners::ours;
    entry.uid = is_ours ? ::geteuid() : inode.uid;
    entry.gid = is_ours ? ::getegid() : inode.gid;
    entry.size = kind == Kind::file ? inode.size : 0;
    entry.mtime = inode.mtime;
    if (kind == Kind::character_device || kind == Kind::block_device) entry.device = inode.node;
    if (kind == Kind::symlink) entry.mode = 0777;
    return entry;
  }

  Result<> enter(FdRef from, const std::string& name, const std::string& path,
                 const sys::Inode& inode) {
    if (inode.device == device_ && inode.number == target_)
      return base::refuse(Errc::invalid_spec, store_stage, "'" + path + "'",
                          "the store that it would go to is in it");
    UniqueFd directory = SOCK_TRY(sys::open_beneath(from, name, O_RDONLY | O_DIRECTORY));
    SOCK_TRY(count_entry(tally_, policy_.limits, path, 0));
    const FdRef parent = SOCK_TRY(parents_.enter(parent_of(path)));
    SOCK_TRY(sys::make_dir(parent, name, 0700));
    SOCK_TRY(add_directory(path, inode, directory));
    // What is mounted there is no part of it.
    if (inode.device != device_) return {};
    auto names = SOCK_TRY(sys::list_dir(directory));
    levels_.push_back({.directory = std::move(directory), .path = path, .left = std::move(names)});
    return {};
  }

  Result<> add_directory(const std::string& path, const sys::Inode& inode, FdRef directory) {
    TreeEntry entry = describe(inode);
    entry.xattrs = SOCK_TRY(sys::list_xattrs(directory));
    SOCK_TRY(filter_xattrs(entry, policy_, tally_, path));
    record_.entries.emplace(path, std::move(entry));
    return {};
  }

  // True when it was another name of a file that has been copied.
  Result<bool> link_again(const std::string& path, const sys::Inode& inode) {
    const auto first = first_names_.find(inode.number);
    if (first == first_names_.end()) return false;
    SOCK_TRY(count_entry(tally_, policy_.limits, path, 0));
    DirectoryStack others{to_};
    const FdRef other = SOCK_TRY(others.enter(parent_of(first->second)));
    const FdRef parent = SOCK_TRY(parents_.enter(parent_of(path)));
    SOCK_TRY(sys::make_link(other, std::string{last_of(first->second)}, parent,
                            std::string{last_of(path)}));
    TreeEntry& entry = record_.entries.find(first->second)->second;
    if (entry.group == 0) entry.group = ++last_group_;
    record_.entries.emplace(path, entry);
    return true;
  }

  Result<> copy_file(FdRef from, const std::string& name, FdRef parent, const std::string& path,
                     TreeEntry& entry) {
    const UniqueFd source =
        SOCK_TRY(sys::open_beneath(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    const UniqueFd file =
        SOCK_TRY(sys::open_beneath(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    std::uint64_t done = 0;
    while (done < entry.size) {
      const auto range = SOCK_TRY(sys::next_data(source, done));
      if (range.begin >= range.end) break;
      hash_.update_zeros(range.begin - done);
      done = SOCK_TRY(copy_range(source, file, range, entry.size));
      if (done < std::min(range.end, entry.size))
        return corrupt("'" + path + "'", "it changed while it was read");
    }
    if (done < entry.size) {
      hash_.update_zeros(entry.size - done);
      SOCK_TRY(sys::set_size(file, entry.size));
    }
    entry.content = hash_.finish().hex();
    entry.xattrs = SOCK_TRY(sys::list_xattrs(source));
    SOCK_TRY(filter_xattrs(entry, policy_, tally_, path));
    return set_metadata(file, entry, policy_.owners);
  }

  // Gives the offset that it came to: the end of the range, unless the file has become shorter.
  Result<std::uint64_t> copy_range(FdRef source, FdRef file, const sys::DataRange& range,
                                   std::uint64_t size) {
    std::uint64_t offset = range.begin;
    const std::uint64_t end = std::min(range.end, size);
    while (offset < end) {
      const auto wanted =
          static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), end - offset));
      const auto count = SOCK_TRY(sys::read_at_offset(source, buffer_.data(), wanted, offset));
      if (count == 0) break;
      hash_.update({buffer_.data(), count});
      SOCK_TRY(sys::write_at_offset(file, {buffer_.data(), count}, offset));
      progress_(count);
      offset += count;
    }
    return offset;
  }

  const FdRef to_;
  const TreePolicy& policy_;
  Tally& tally_;
  const CopyProgress& progress_;
  DirectoryStack parents_;
  TreeRecord record_;
  std::vector<Level> levels_;
  std::map<std::uint64_t, std::string> first_names_;  ///< By inode number.
  std::uint64_t device_ = 0;
  std::uint64_t target_ = 0;  ///< The inode of `to`, where it could be met; 0 is nobody's.
  std::uint64_t last_group_ = 0;
  Sha256 hash_;
  std::string buffer_ = std::string(256U << 10U, '\0');
};

}  // namespace

Result<TreeRecord> copy_directory(FdRef from, FdRef to, const TreePolicy& policy, Tally& tally,
                                  const CopyProgress& progress) {
  return DirectoryCopy{to, policy, tally, progress}.copy(from);
}

}  // namespace sock::store
