#pragma once

// Files and directories. Every descriptor is close-on-exec; every path is relative to a directory
// descriptor (`cwd` where the caller's own path is meant). Errors carry no stage: the caller knows
// it (base::in_stage).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/types.h>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

/// The process's working directory, as openat() understands it. Absolute paths ignore it.
inline constexpr FdRef cwd{AT_FDCWD};

Result<UniqueFd> open(FdRef dir, const std::string& path, int flags, mode_t mode = 0);
/// No component may be a symlink or lead above `dir` (openat2 RESOLVE_BENEATH | NO_SYMLINKS).
Result<UniqueFd> open_beneath(FdRef dir, const std::string& path, int flags, mode_t mode = 0);
/// Any path, but no component may be a symlink.
Result<UniqueFd> open_literally(FdRef dir, const std::string& path, int flags);
/// Resolves as a process chrooted into `root` would; never leaves it (RESOLVE_IN_ROOT, without
/// magic links).
Result<UniqueFd> open_in_root(FdRef root, const std::string& path, int flags, mode_t mode = 0);

/// At most `limit` bytes; a longer file is an error (Errc::corrupt).
Result<std::string> read_file(FdRef dir, const std::string& path, std::size_t limit = 1U << 20U);
/// Re-reads a kept descriptor from its start, as the kernel's pseudo files need it.
Result<std::string> reread(FdRef file, std::size_t limit = 1U << 16U);
/// One read(2); 0 bytes at the end.
Result<std::size_t> read_some(FdRef file, char* buffer, std::size_t size);
/// Opens an existing file and writes all of `data` with one write(2), as pseudo files need it.
Result<> write_at(FdRef dir, const std::string& path, std::string_view data);
/// One write(2) at offset 0 of a kept descriptor of a pseudo file.
Result<> rewrite(FdRef file, std::string_view data);
Result<> write_all(FdRef file, std::string_view data);

Result<> make_dir(FdRef dir, const std::string& path, mode_t mode);
/// As make_dir, and success when it is a directory already.
Result<> ensure_dir(FdRef dir, const std::string& path, mode_t mode);
/// A missing one is success.
Result<> remove_dir(FdRef dir, const std::string& path);
/// A missing one is success.
Result<> remove_file(FdRef dir, const std::string& path);
Result<> make_symlink(FdRef dir, const std::string& path, const std::string& target);
Result<std::string> read_symlink(FdRef dir, const std::string& path);
/// Names without "." and "..", sorted.
Result<std::vector<std::string>> list_dir(FdRef dir);

enum class FileType : std::uint8_t { regular, directory, symlink, other };
struct FileStatus {
  FileType type;
  mode_t mode;
  uid_t uid;
  gid_t gid;
  std::uint64_t device;
  std::uint64_t inode;
  std::uint64_t links;
};
Result<FileStatus> status(FdRef file);
/// Does not follow a final symlink.
Result<FileStatus> status_at(FdRef dir, const std::string& path);

/// True when the exclusive lock was taken, false when somebody else holds it.
Result<bool> try_lock(FdRef file);

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};
Result<Pipe> make_pipe();
Result<UniqueFd> duplicate(FdRef file);
/// All of `from`, from its start.
Result<> copy_all(FdRef from, FdRef to);
/// A sealed, executable copy of a file in memory: nobody can write it, not even through
/// /proc/PID/exe (CVE-2019-5736). With mode 0111 the kernel gives /proc/PID of whoever runs it to
/// root, since he could not have read it.
Result<UniqueFd> sealed_copy(FdRef file, const std::string& name, mode_t mode);
/// Unpredictable lower-case hexadecimal digits, two per byte.
Result<std::string> random_hex(std::size_t bytes);

}  // namespace sock::sys
