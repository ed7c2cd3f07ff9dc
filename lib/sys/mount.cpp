// The descriptor-based mount calls.

#include "sys/mount.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/try.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"

namespace sock::sys {
namespace {

std::uint64_t attributes(MountFlags flags) {
  const auto has = [&](MountFlags flag) {
    return (std::to_underlying(flags) & std::to_underlying(flag)) != 0;
  };
  std::uint64_t bits = 0;
  if (has(MountFlags::read_only)) bits |= MOUNT_ATTR_RDONLY;
  if (has(MountFlags::no_suid)) bits |= MOUNT_ATTR_NOSUID;
  if (has(MountFlags::no_devices)) bits |= MOUNT_ATTR_NODEV;
  if (has(MountFlags::no_exec)) bits |= MOUNT_ATTR_NOEXEC;
  return bits;
}

}  // namespace

Result<UniqueFd> clone_mount(FdRef dir, const std::string& path, Depth depth) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
  if (depth == Depth::recursive) flags |= AT_RECURSIVE;
  if (path.empty()) flags |= AT_EMPTY_PATH;
  const int fd = ::open_tree(dir.get(), path.c_str(), flags);
  if (fd < 0) return sys_error(errno, path);
  return UniqueFd{fd};
}

Result<> restrict_mount(FdRef mount, MountFlags flags, Depth depth) {
  mount_attr change{};
  change.attr_set = attributes(flags);
  change.propagation = MS_PRIVATE;
  const unsigned at = AT_EMPTY_PATH | (depth == Depth::recursive ? AT_RECURSIVE : 0U);
  // KERNEL: EBUSY while a file of the mount is open for writing. We have closed ours, but a child
  // that another thread has just started holds a copy of every descriptor until it executes.
  constexpr int most_attempts = 1000;
  for (int attempt = 0;; ++attempt) {
    if (::mount_setattr(mount.get(), "", at, &change, sizeof change) == 0) return {};
    if (errno != EBUSY || attempt == most_attempts) return sys_error(errno, "mount_setattr");
    ::poll(nullptr, 0, 1);
  }
}

Result<> map_owners(FdRef mount, FdRef user_namespace) {
  mount_attr change{};
  change.attr_set = MOUNT_ATTR_IDMAP;
  change.userns_fd = static_cast<std::uint64_t>(user_namespace.get());
  if (::mount_setattr(mount.get(), "", AT_EMPTY_PATH, &change, sizeof change) == 0) return {};
  // KERNEL: what says that the file system cannot.
  if (errno == EINVAL)
    return base::refuse(Errc::unsupported, Stage::none, "id-mapped mount",
                        "the file system of the image cannot (tmpfs can since Linux 6.3)");
  return sys_error(errno, "id-mapped mount");
}

Result<> attach_mount(FdRef mount, FdRef target) {
  constexpr unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  if (::move_mount(mount.get(), "", target.get(), "", flags) < 0)
    return sys_error(errno, "move_mount");
  return {};
}

Result<> unmount(const std::string& directory) {
  if (::umount2(directory.c_str(), UMOUNT_NOFOLLOW) < 0) return sys_error(errno, directory);
  return {};
}

Result<UniqueFd> make_proc_of(FdRef pid_namespace) {
  const UniqueFd context{::fsopen("proc", FSOPEN_CLOEXEC)};
  if (!context) return sys_error(errno, "/proc");
  if (::fsconfig(context.get(), FSCONFIG_SET_STRING, "subset", "pid", 0) < 0 ||
      ::fsconfig(context.get(), FSCONFIG_SET_FD, "pidns", nullptr, pid_namespace.get()) < 0 ||
      ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return sys_error(errno, "/proc");
  UniqueFd mount{::fsmount(context.get(), FSMOUNT_CLOEXEC,
                           MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)};
  if (!mount) return sys_error(errno, "/proc");
  return mount;
}

Result<UniqueFd> make_filesystem(const std::string& type,
                                 const std::vector<FilesystemOption>& options, MountFlags flags) {
  const UniqueFd context{::fsopen(type.c_str(), FSOPEN_CLOEXEC)};
  if (!context) return sys_error(errno, type);
  for (const auto& [key, value] : options) {
    const int set =
        value.empty()
            ? ::fsconfig(context.get(), FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0)
            : ::fsconfig(context.get(), FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0);
    if (set < 0) return sys_error(errno, type + " " + key + "=" + value);
  }
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return sys_error(errno, type);
  UniqueFd mount{
      ::fsmount(context.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes(flags)))};
  if (!mount) return sys_error(errno, type);
  return mount;
}

Result<UniqueFd> mountable_copy(FdRef program) {
  const auto filesystem = SOCK_TRY(make_filesystem("tmpfs", {{"mode", "0555"}, {"nr_inodes", "2"}},
                                                   MountFlags::no_suid | MountFlags::no_devices));
  constexpr mode_t execute_only = 0111;
  {
    const auto copy = SOCK_TRY(open(filesystem, "copy", O_WRONLY | O_CREAT | O_EXCL, 0));
    SOCK_TRY(copy_all(program, copy));
    if (::fchmod(copy.get(), execute_only) < 0) return sys_error(errno, "mode");
  }
  auto file = SOCK_TRY(clone_mount(filesystem, "copy", Depth::one_mount));
  SOCK_TRY(restrict_mount(file,
                          MountFlags::read_only | MountFlags::no_suid | MountFlags::no_devices,
                          Depth::one_mount));
  return file;
}

Result<> make_device(FdRef dir, const std::string& name, unsigned major, unsigned minor) {
  if (::mknodat(dir.get(), name.c_str(), S_IFCHR | 0666, makedev(major, minor)) < 0)
    return sys_error(errno, name);
  return {};
}

Result<> set_mode(FdRef dir, const std::string& path, unsigned mode) {
  if (::fchmodat(dir.get(), path.c_str(), mode, 0) < 0) return sys_error(errno, path);
  return {};
}

}  // namespace sock::sys
