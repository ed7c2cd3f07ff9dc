// Links, owners, modes, times and extended attributes of files.

#include "sys/inode.hpp"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/try.hpp"
#include "sys/error.hpp"

namespace sock::sys {
namespace {

Inode from_stat(const struct stat& st) {
  return {.mode = st.st_mode,
          .uid = st.st_uid,
          .gid = st.st_gid,
          .size = static_cast<std::uint64_t>(st.st_size),
          .blocks_512 = static_cast<std::uint64_t>(st.st_blocks),
          .device = st.st_dev,
          .number = st.st_ino,
          .links = st.st_nlink,
          .node = st.st_rdev,
          .mtime = st.st_mtim};
}

// Both times are that of the last change: when an image was read last means nothing.
std::array<timespec, 2> both(const timespec& mtime) {
  return {mtime, mtime};
}

}  // namespace

Result<Inode> inode(FdRef file) {
  struct stat st {};
  if (::fstat(file.get(), &st) < 0) return sys_error(errno, "descriptor");
  return from_stat(st);
}

Result<Inode> inode_at(FdRef dir, const std::string& name) {
  struct stat st {};
  if (::fstatat(dir.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0)
    return sys_error(errno, name);
  return from_stat(st);
}

Result<> make_link(FdRef from, const std::string& name, FdRef to, const std::string& new_name) {
  if (::linkat(from.get(), name.c_str(), to.get(), new_name.c_str(), 0) < 0)
    return sys_error(errno, new_name);
  return {};
}

// By its descriptor alone (AT_EMPTY_PATH) it would need a capability before Linux 6.10.
Result<> link_file(FdRef file, FdRef to, const std::string& new_name) {
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  if (::linkat(AT_FDCWD, path.c_str(), to.get(), new_name.c_str(), AT_SYMLINK_FOLLOW) < 0)
    return sys_error(errno, new_name);
  return {};
}

Result<std::uint64_t> mount_id(FdRef file) {
  struct statx found {};
  if (::statx(file.get(), "", AT_EMPTY_PATH, STATX_MNT_ID, &found) < 0)
    return sys_error(errno, "descriptor");
  return found.stx_mnt_id;
}

Result<bool> forbids_execution(FdRef file) {
  struct statvfs found {};
  if (::fstatvfs(file.get(), &found) < 0) return sys_error(errno, "descriptor");
  return (found.f_flag & ST_NOEXEC) != 0;
}

Result<> make_node(FdRef dir, const std::string& name, mode_t mode, std::uint64_t device) {
  if (::mknodat(dir.get(), name.c_str(), mode, device) < 0) return sys_error(errno, name);
  return {};
}

Result<> rename(FdRef from, const std::string& name, FdRef to, const std::string& new_name) {
  if (::renameat(from.get(), name.c_str(), to.get(), new_name.c_str()) < 0)
    return sys_error(errno, new_name);
  return {};
}

Result<> set_owner_at(FdRef dir, const std::string& name, uid_t uid, gid_t gid) {
  if (::fchownat(dir.get(), name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
    return sys_error(errno, name);
  return {};
}

Result<> set_times_at(FdRef dir, const std::string& name, const timespec& mtime) {
  if (::utimensat(dir.get(), name.c_str(), both(mtime).data(), AT_SYMLINK_NOFOLLOW) < 0)
    return sys_error(errno, name);
  return {};
}

Result<> set_owner(FdRef file, uid_t uid, gid_t gid) {
  if (::fchown(file.get(), uid, gid) < 0) return sys_error(errno, "owner");
  return {};
}

Result<> set_mode_of(FdRef file, mode_t mode) {
  if (::fchmod(file.get(), mode) < 0) return sys_error(errno, "mode");
  return {};
}

Result<> set_times(FdRef file, const timespec& mtime) {
  if (::futimens(file.get(), both(mtime).data()) < 0) return sys_error(errno, "times");
  return {};
}

Result<> set_xattr(FdRef file, const Xattr& xattr) {
  if (::fsetxattr(file.get(), xattr.name.c_str(), xattr.value.data(), xattr.value.size(), 0) < 0)
    return sys_error(errno, xattr.name);
  return {};
}

Result<std::vector<Xattr>> list_xattrs(FdRef file) {
  std::vector<Xattr> xattrs;
  std::string names(64U << 10U, '\0');  // The kernel's own limits, for the list and for a value.
  const ssize_t size = ::flistxattr(file.get(), names.data(), names.size());
  if (size < 0 && errno == EOPNOTSUPP) return xattrs;
  if (size < 0) return sys_error(errno, "extended attributes");
  names.resize(static_cast<std::size_t>(size));
  for (std::string_view rest = names; !rest.empty();) {
    const std::string name{rest.substr(0, rest.find('\0'))};
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    std::string value(64U << 10U, '\0');
    const ssize_t length = ::fgetxattr(file.get(), name.c_str(), value.data(), value.size());
    if (length < 0) return sys_error(errno, name);
    value.resize(static_cast<std::size_t>(length));
    xattrs.push_back({.name = name, .value = std::move(value)});
  }
  std::ranges::sort(xattrs);
  return xattrs;
}

Result<> write_at_offset(FdRef file, std::string_view data, std::uint64_t offset) {
  while (!data.empty()) {
    const ssize_t count = retry(
        [&] { return ::pwrite(file.get(), data.data(), data.size(), static_cast<off_t>(offset)); });
    if (count < 0) return sys_error(errno, "write");
    data.remove_prefix(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<std::size_t> read_at_offset(FdRef file, char* buffer, std::size_t size,
                                   std::uint64_t offset) {
  const ssize_t count =
      retry([&] { return ::pread(file.get(), buffer, size, static_cast<off_t>(offset)); });
  if (count < 0) return sys_error(errno, "read");
  return static_cast<std::size_t>(count);
}

Result<> set_size(FdRef file, std::uint64_t size) {
  if (retry([&] { return ::ftruncate(file.get(), static_cast<off_t>(size)); }) < 0)
    return sys_error(errno, "size");
  return {};
}

Result<DataRange> next_data(FdRef file, std::uint64_t offset) {
  const off_t begin = ::lseek(file.get(), static_cast<off_t>(offset), SEEK_DATA);
  if (begin < 0 && errno == ENXIO) return DataRange{offset, offset};
  if (begin < 0) return sys_error(errno, "seek");
  const off_t end = ::lseek(file.get(), begin, SEEK_HOLE);
  if (end < 0) return sys_error(errno, "seek");
  return DataRange{static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end)};
}

Result<> sync_filesystem(FdRef file) {
  if (::syncfs(file.get()) < 0) return sys_error(errno, "syncfs");
  return {};
}

Result<> sync_file(FdRef file) {
  if (::fsync(file.get()) < 0) return sys_error(errno, "fsync");
  return {};
}

}  // namespace sock::sys
