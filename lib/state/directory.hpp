#pragma once

// What the parts of lib/state share: the state directory's checks and the names and files in an
// instance directory.
//
// The lock protocol needs no lock over the whole state directory, so that a stopped process cannot
// hold up another Host:
//   owner     mkdir <id>, create <id>/lock, lock it, and check that the file locked is still the
//             one in the directory; if any of it fails, a recovery was faster: start again
//   recovery  open <id>/lock, lock it (somebody alive holds it: leave it), check in the same way,
//             remove everything with `lock` last, remove <id>
// Nothing is unlinked without holding the lock, but for a directory that is still empty.
//
// The lock belongs to the open file, so a child that the program forks without exec keeps its
// instance alive (and the janitor's pipe open) until the child ends too.

#include <chrono>
#include <string>
#include <string_view>

#include "sock/fd.hpp"
#include "sock/host.hpp"
#include "sock/result.hpp"

namespace sock::state {

inline constexpr std::string_view lock_file = "lock";
inline constexpr std::string_view cgroups_file = "cgroups";
/// One level of directories with files of its own.
inline constexpr std::string_view containers_dir = "containers";

/// Sixteen hexadecimal digits, which no other directory beside the instances is called.
[[nodiscard]] bool is_instance_id(std::string_view name) noexcept;

/// A directory that is no symlink, belongs to the caller and is writable by nobody else.
/// Errc::not_found when it is missing.
Result<UniqueFd> open_state_dir(const std::string& path);

/// True when `lock` is (still) the lock file of this instance directory.
Result<bool> is_lock_of(FdRef lock, FdRef instance);

/// For the holder of the lock: removes the recorded cgroups with their processes, then the files
/// and the directory. While a cgroup cannot be removed, the record of it stays.
Result<Recovery> clear_instance(FdRef state_dir, FdRef instance, const std::string& id,
                                std::chrono::steady_clock::time_point deadline);

}  // namespace sock::state
