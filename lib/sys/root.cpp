// Changing what "/" is.

#include "sys/root.hpp"

#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/error.hpp"

namespace sock::sys {

Result<> switch_root(FdRef mount) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
    return sys_error(errno, "make / private");
  // Any directory that every machine has will do; what lies below it is leaving anyway.
  if (::move_mount(mount.get(), "", AT_FDCWD, "/usr", MOVE_MOUNT_F_EMPTY_PATH) < 0)
    return sys_error(errno, "move_mount");
  if (::fchdir(mount.get()) < 0) return sys_error(errno, "fchdir");
  // Stacks the old root on the new one's "." and then takes it away: no directory is needed for it.
  if (::syscall(SYS_pivot_root, ".", ".") < 0) return sys_error(errno, "pivot_root");
  if (::umount2(".", MNT_DETACH) < 0) return sys_error(errno, "umount2");
  return {};
}

}  // namespace sock::sys
