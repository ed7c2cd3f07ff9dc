// Files and directories.

#include "sys/file.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <dirent.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/hex.hpp"
#include "base/try.hpp"
#include "sys/error.hpp"

// KERNEL: since 6.3; says that a memfd is meant to be executed. Older headers lack it.
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

namespace sock {

void UniqueFd::reset(int fd) noexcept {
  const int old = std::exchange(fd_, fd);
  if (old >= 0) ::close(old);
}

}  // namespace sock

namespace sock::sys {
namespace {

Result<UniqueFd> open_resolved(FdRef dir, const std::string& path, int flags, mode_t mode,
                               std::uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.mode = mode;
  how.resolve = resolve;
  // KERNEL: openat2 gives EAGAIN when a rename or mount elsewhere raced with a "..". It is
  // harmless and rare, so a few retries are enough.
  for (int attempt = 0;; ++attempt) {
    const long fd = ::syscall(SYS_openat2, dir.get(), path.c_str(), &how, sizeof how);
    if (fd >= 0) return UniqueFd{static_cast<int>(fd)};
    if (errno == EINTR || (errno == EAGAIN && attempt < 64)) continue;
    return sys_error(errno, path);
  }
}

Result<std::string> read_to_end(FdRef file, const std::string& subject, std::size_t limit) {
  std::string content;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = retry([&] {
      return ::pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(content.size()));
    });
    if (count < 0) return sys_error(errno, subject);
    if (count == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(count));
    if (content.size() > limit)
      return base::refuse(Errc::corrupt, Stage::none, subject, "larger than it may be");
  }
}

FileStatus from_stat(const struct stat& st) {
  FileType type = FileType::other;
  if (S_ISREG(st.st_mode)) type = FileType::regular;
  if (S_ISDIR(st.st_mode)) type = FileType::directory;
  if (S_ISLNK(st.st_mode)) type = FileType::symlink;
  return {.type = type,
          .mode = st.st_mode & 07777U,
          .uid = st.st_uid,
          .gid = st.st_gid,
          .device = st.st_dev,
          .inode = st.st_ino,
          .links = st.st_nlink};
}

}  // namespace

Result<UniqueFd> open(FdRef dir, const std::string& path, int flags, mode_t mode) {
  const int fd = retry([&] { return ::openat(dir.get(), path.c_str(), flags | O_CLOEXEC, mode); });
  if (fd < 0) return sys_error(errno, path);
  return UniqueFd{fd};
}

Result<UniqueFd> open_beneath(FdRef dir, const std::string& path, int flags, mode_t mode) {
  return open_resolved(dir, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

Result<UniqueFd> open_literally(FdRef dir, const std::string& path, int flags) {
  return open_resolved(dir, path, flags, 0, RESOLVE_NO_SYMLINKS);
}

Result<UniqueFd> open_in_root(FdRef root, const std::string& path, int flags, mode_t mode) {
  return open_resolved(root, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

Result<std::string> read_file(FdRef dir, const std::string& path, std::size_t limit) {
  const UniqueFd file = SOCK_TRY(open(dir, path, O_RDONLY));
  return read_to_end(file, path, limit);
}

Result<std::string> reread(FdRef file, std::size_t limit) {
  return read_to_end(file, "kept file", limit);
}

Result<std::size_t> read_some(FdRef file, char* buffer, std::size_t size) {
  const ssize_t count = retry([&] { return ::read(file.get(), buffer, size); });
  if (count < 0) return sys_error(errno, "read");
  return static_cast<std::size_t>(count);
}

Result<> write_at(FdRef dir, const std::string& path, std::string_view data) {
  const UniqueFd file = SOCK_TRY(open(dir, path, O_WRONLY));
  if (retry([&] { return ::write(file.get(), data.data(), data.size()); }) < 0)
    return sys_error(errno, path);
  return {};
}

Result<> rewrite(FdRef file, std::string_view data) {
  if (retry([&] { return ::pwrite(file.get(), data.data(), data.size(), 0); }) < 0)
    return sys_error(errno, "kept file");
  return {};
}

Result<> write_all(FdRef file, std::string_view data) {
  while (!data.empty()) {
    const ssize_t count = retry([&] { return ::write(file.get(), data.data(), data.size()); });
    if (count < 0) return sys_error(errno, "write");
    data.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<> make_dir(FdRef dir, const std::string& path, mode_t mode) {
  if (::mkdirat(dir.get(), path.c_str(), mode) < 0) return sys_error(errno, path);
  return {};
}

Result<> ensure_dir(FdRef dir, const std::string& path, mode_t mode) {
  auto made = make_dir(dir, path, mode);
  if (made || made.error().code != Errc::exists) return made;
  const FileStatus found = SOCK_TRY(status_at(dir, path));
  if (found.type != FileType::directory) return sys_error(ENOTDIR, path);
  return {};
}

Result<> remove_dir(FdRef dir, const std::string& path) {
  if (::unlinkat(dir.get(), path.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT)
    return sys_error(errno, path);
  return {};
}

Result<> remove_file(FdRef dir, const std::string& path) {
  if (::unlinkat(dir.get(), path.c_str(), 0) < 0 && errno != ENOENT) return sys_error(errno, path);
  return {};
}

Result<> make_symlink(FdRef dir, const std::string& path, const std::string& target) {
  if (::symlinkat(target.c_str(), dir.get(), path.c_str()) < 0) return sys_error(errno, path);
  return {};
}

Result<std::string> read_symlink(FdRef dir, const std::string& path) {
  std::array<char, 4096> buffer;
  const ssize_t size = ::readlinkat(dir.get(), path.c_str(), buffer.data(), buffer.size());
  if (size < 0) return sys_error(errno, path);
  if (static_cast<std::size_t>(size) == buffer.size()) return sys_error(ENAMETOOLONG, path);
  return std::string{buffer.data(), static_cast<std::size_t>(size)};
}

Result<std::vector<std::string>> list_dir(FdRef dir) {
  UniqueFd own = SOCK_TRY(open(dir, ".", O_RDONLY | O_DIRECTORY));
  const std::unique_ptr<DIR, decltype([](DIR* d) { ::closedir(d); })> stream{
      ::fdopendir(own.get())};
  if (!stream) return sys_error(errno, "directory");
  static_cast<void>(own.release());  // The stream owns it now.
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());  // NOLINT(concurrency-mt-unsafe): own stream
    if (entry == nullptr) break;
    const std::string_view name{entry->d_name};
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return sys_error(errno, "directory");
  std::ranges::sort(names);
  return names;
}

Result<FileStatus> status(FdRef file) {
  struct stat st {};
  if (::fstat(file.get(), &st) < 0) return sys_error(errno, "descriptor");
  return from_stat(st);
}

Result<FileStatus> status_at(FdRef dir, const std::string& path) {
  struct stat st {};
  if (::fstatat(dir.get(), path.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0)
    return sys_error(errno, path);
  return from_stat(st);
}

Result<bool> try_lock(FdRef file) {
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return sys_error(errno, "lock");
}

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) return sys_error(errno, "pipe");
  return Pipe{.reader = UniqueFd{ends[0]}, .writer = UniqueFd{ends[1]}};
}

Result<UniqueFd> duplicate(FdRef file) {
  const int fd = ::fcntl(file.get(), F_DUPFD_CLOEXEC, 3);
  if (fd < 0) return sys_error(errno, "descriptor");
  return UniqueFd{fd};
}

Result<> copy_all(FdRef from, FdRef to) {
  off_t offset = 0;
  for (;;) {
    const ssize_t sent =
        retry([&] { return ::sendfile(to.get(), from.get(), &offset, 1U << 20U); });
    if (sent < 0) return sys_error(errno, "copy");
    if (sent == 0) return {};
  }
}

Result<UniqueFd> sealed_copy(FdRef file, const std::string& name, mode_t mode) {
  constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = ::memfd_create(name.c_str(), flags | MFD_EXEC);
  if (fd < 0 && errno == EINVAL) fd = ::memfd_create(name.c_str(), flags);
  UniqueFd copy{fd};
  if (!copy) return sys_error(errno, name);
  SOCK_TRY(copy_all(file, copy));
  if (::fchmod(fd, mode) < 0) return sys_error(errno, name);
  constexpr int content = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  // KERNEL: since 6.3; before, a container whose processes own it can make it unexecutable.
  constexpr int executable = 0x20;  // F_SEAL_EXEC
  if (::fcntl(fd, F_ADD_SEALS, content | executable) < 0 && ::fcntl(fd, F_ADD_SEALS, content) < 0)
    return sys_error(errno, name);
  return copy;
}

Result<std::string> random_hex(std::size_t bytes) {
  std::string raw(bytes, '\0');
  if (retry([&] { return ::getrandom(raw.data(), raw.size(), 0); }) !=
      static_cast<ssize_t>(raw.size()))
    return sys_error(errno, "getrandom");
  return base::to_hex(raw);
}

}  // namespace sock::sys
