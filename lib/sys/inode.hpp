#pragma once

// What a tree of files is made of beside contents: links, owners, modes, times, extended
// attributes. Nothing here follows a symlink in the last place; what comes before it is the
// directory that the caller holds. Errors carry no stage.

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

/// All that is known of a file without reading it. `mode` has the type in it, as in stat(2).
struct Inode {
  mode_t mode;
  uid_t uid;
  gid_t gid;
  std::uint64_t size;
  std::uint64_t blocks_512;  ///< What it takes on the disk.
  std::uint64_t device;
  std::uint64_t number;
  std::uint64_t links;
  std::uint64_t node;  ///< Of a device node: which device.
  timespec mtime;
};
Result<Inode> inode(FdRef file);
Result<Inode> inode_at(FdRef dir, const std::string& name);

/// A second name for a file that is no directory; a symlink itself gets one, not what it points to.
Result<> make_link(FdRef from, const std::string& name, FdRef to, const std::string& new_name);
/// One more name for a file that is open, or was made without one (O_TMPFILE). On failure:
/// Errc::not_found when it has lost its last one.
Result<> link_file(FdRef file, FdRef to, const std::string& new_name);
/// Of the mount by which a file was opened: as in /proc/self/fdinfo.
Result<std::uint64_t> mount_id(FdRef file);
/// Whether no code can be mapped from the file's mount (noexec).
Result<bool> forbids_execution(FdRef file);
/// `mode` with a type other than a directory's.
Result<> make_node(FdRef dir, const std::string& name, mode_t mode, std::uint64_t device);
/// Replaces what has the new name, if it is of the same kind.
Result<> rename(FdRef from, const std::string& name, FdRef to, const std::string& new_name);

Result<> set_owner_at(FdRef dir, const std::string& name, uid_t uid, gid_t gid);
Result<> set_times_at(FdRef dir, const std::string& name, const timespec& mtime);
Result<> set_owner(FdRef file, uid_t uid, gid_t gid);
Result<> set_mode_of(FdRef file, mode_t mode);
Result<> set_times(FdRef file, const timespec& mtime);

struct Xattr {
  std::string name;
  std::string value;
  friend auto operator<=>(const Xattr&, const Xattr&) = default;
};
Result<> set_xattr(FdRef file, const Xattr& xattr);
/// Sorted by name.
Result<std::vector<Xattr>> list_xattrs(FdRef file);

/// All of `data` at an offset: what lies before it stays a hole.
Result<> write_at_offset(FdRef file, std::string_view data, std::uint64_t offset);
/// At most `size` bytes; fewer at the end of the file.
Result<std::size_t> read_at_offset(FdRef file, char* buffer, std::size_t size,
                                   std::uint64_t offset);
Result<> set_size(FdRef file, std::uint64_t size);
/// The next range with data at or after `offset`; empty (begin == end) when only a hole follows.
struct DataRange {
  std::uint64_t begin;
  std::uint64_t end;
};
Result<DataRange> next_data(FdRef file, std::uint64_t offset);

/// Everything that was written to the file system of `file` is on the disk afterwards.
Result<> sync_filesystem(FdRef file);
/// One file or directory.
Result<> sync_file(FdRef file);

}  // namespace sock::sys
