#pragma once

// The descriptor-based mount calls. A mount made here belongs to its descriptor: it appears in no
// mount table, and is gone with the descriptor unless it has been moved somewhere.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

enum class Depth : std::uint8_t { one_mount, recursive };

/// Mount attributes; they only ever add restrictions.
enum class MountFlags : std::uint8_t {
  none = 0,
  read_only = 1,
  no_suid = 2,
  no_devices = 4,
  no_exec = 8,
};
[[nodiscard]] constexpr MountFlags operator|(MountFlags a, MountFlags b) noexcept {
  return static_cast<MountFlags>(std::to_underlying(a) | std::to_underlying(b));
}

/// A detached copy of the mount that `dir`/`path` is on, rooted there.
/// With an empty path, of `dir` itself.
Result<UniqueFd> clone_mount(FdRef dir, const std::string& path, Depth depth);
/// Adds flags and makes the mount private, so that nothing propagates in or out.
Result<> restrict_mount(FdRef mount, MountFlags flags, Depth depth);
/// Files of the mount belong to whom the user namespace maps their owners to. The mount must be
/// detached, and not shown anywhere before. KERNEL: since 5.12, where the file system can.
Result<> map_owners(FdRef mount, FdRef user_namespace);
/// Attaches a detached mount on top of the file or directory `target`.
/// KERNEL: a target on a detached tree needs 6.15.
Result<> attach_mount(FdRef mount, FdRef target);

/// Takes away what is mounted on the directory; a symlink at its end is refused.
Result<> unmount(const std::string& directory);

struct FilesystemOption {
  std::string key;
  std::string value;  ///< Empty for a flag.
};
/// A new, detached mount of a file system: fsopen, fsconfig, fsmount.
Result<UniqueFd> make_filesystem(const std::string& type,
                                 const std::vector<FilesystemOption>& options, MountFlags flags);

/// A /proc of that pid namespace in which there are only processes: nothing of the machine
/// (/proc/sys, /proc/kcore, ...) is in it.
/// KERNEL: since 6.17; before, only a process inside could make it.
Result<UniqueFd> make_proc_of(FdRef pid_namespace);

/// A detached, read-only mount of one file: a copy of `program` that may be executed but not read.
/// KERNEL: since 6.15; before, a detached mount could not be cloned.
Result<UniqueFd> mountable_copy(FdRef program);

Result<> make_device(FdRef dir, const std::string& name, unsigned major, unsigned minor);
Result<> set_mode(FdRef dir, const std::string& path, unsigned mode);

}  // namespace sock::sys
