// System calls as Results.

#include "posix.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sockctl {
namespace {

Errc errc_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return Errc::not_found;
    case EACCES:
    case EPERM:
      return Errc::denied;
    case EEXIST:
      return Errc::exists;
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOSPC:
      return Errc::exhausted;
    case EPIPE:
    case ECONNREFUSED:
    case ECONNRESET:
      return Errc::closed;
    case ETIMEDOUT:
      return Errc::timed_out;
    default:
      return Errc::io;
  }
}

int milliseconds_until(Deadline deadline) {
  if (!deadline) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3600'000));
}

std::unexpected<Error> error_of(int number, std::string subject, std::string hint) {
  return std::unexpected(Error{.code = errc_of(number),
                               .stage = Stage::none,
                               .sys_errno = number,
                               .subject = std::move(subject),
                               .hint = std::move(hint)});
}

}  // namespace

std::unexpected<Error> last_error(std::string subject, std::string hint) {
  return error_of(errno, std::move(subject), std::move(hint));
}

bool would_block(const Error& error) {
  return error.sys_errno == EAGAIN;
}

Result<sock::UniqueFd> open_at(sock::FdRef dir, const std::string& path, int flags, mode_t mode) {
  const int fd = ::openat(dir.get(), path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return last_error(path);
  return sock::UniqueFd{fd};
}

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return last_error("pipe");
  return Pipe{.reader = sock::UniqueFd{ends[0]}, .writer = sock::UniqueFd{ends[1]}};
}

Result<> set_nonblocking(sock::FdRef fd) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0) return last_error("fcntl");
  return {};
}

Result<std::size_t> read_some(sock::FdRef fd, std::span<char> buffer) {
  for (;;) {
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return last_error("read");
  }
}

Result<std::size_t> write_some(sock::FdRef fd, std::string_view text) {
  for (;;) {
    const ssize_t count = ::write(fd.get(), text.data(), text.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return last_error("write");
  }
}

Result<> write_all(sock::FdRef fd, std::string_view text) {
  while (!text.empty()) text.remove_prefix(SOCKCTL_TRY(write_some(fd, text)));
  return {};
}

Result<std::string> read_all(sock::FdRef fd, std::size_t limit) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (const auto count = SOCKCTL_TRY(read_some(fd, buffer))) {
    if (text.size() + count > limit)
      return refuse(Errc::exhausted, Stage::none, "more than " + std::to_string(limit) + " bytes");
    text.append(buffer.data(), count);
  }
  return text;
}

Result<sock::UniqueFd> make_memory_file() {
  sock::UniqueFd file{::memfd_create("sockctl", MFD_CLOEXEC)};
  if (!file) return last_error("a file in memory");
  return file;
}

Result<> rewind_file(sock::FdRef file) {
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return last_error("a file in memory");
  return {};
}

Result<int> wait_for(std::span<pollfd> fds, Deadline deadline) {
  for (;;) {
    const int ready = ::poll(fds.data(), fds.size(), milliseconds_until(deadline));
    if (ready > 0) return ready;
    if (ready < 0 && errno != EINTR) return last_error("poll");
    if (ready == 0 && deadline && std::chrono::steady_clock::now() >= *deadline) return 0;
  }
}

Result<> require_connected(sock::FdRef socket, std::string subject, std::string hint) {
  int number = 0;
  socklen_t size = sizeof number;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &number, &size) != 0) number = errno;
  if (number == 0) return {};
  return error_of(number, std::move(subject), std::move(hint));
}

Result<sock::UniqueFd> signal_fd(std::span<const int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : signals) sigaddset(&set, number);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return last_error("sigprocmask");
  const int fd = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) return last_error("signalfd");
  return sock::UniqueFd{fd};
}

Result<std::optional<int>> next_signal(sock::FdRef signals) {
  signalfd_siginfo info{};
  if (::read(signals.get(), &info, sizeof(info)) == sizeof(info))
    return std::optional{static_cast<int>(info.ssi_signo)};
  if (errno == EAGAIN || errno == EINTR) return std::optional<int>{};
  return last_error("signalfd");
}

void fill_stdio() {
  for (int fd = 0; fd <= 2; ++fd)
    // The lowest free number is given out; this one is kept open on purpose.
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd) ::_exit(125);
}

Result<sock::UniqueFd> open_result_file(const std::string& path) {
  open_how how{};
  // Not O_TRUNC before we know what it is, and no waiting for the reader of a pipe.
  how.flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  how.mode = 0644;
  how.resolve = RESOLVE_NO_SYMLINKS;
  const long opened = ::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how);
  if (opened < 0) return last_error(path, errno == ELOOP ? "no link may be in its path" : "");
  sock::UniqueFd file{static_cast<int>(opened)};
  struct stat found {};
  if (::fstat(file.get(), &found) != 0) return last_error(path);
  if (!S_ISREG(found.st_mode))
    return refuse(Errc::denied, Stage::none, path, "it must be a regular file");
  if (::ftruncate(file.get(), 0) != 0) return last_error(path);
  return file;
}

Result<> ensure_private_dir(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return last_error(path);
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return last_error(path);
  const bool private_dir =
      S_ISDIR(found.st_mode) && found.st_uid == ::geteuid() && (found.st_mode & 022U) == 0;
  if (!private_dir)
    return refuse(Errc::denied, Stage::state, path,
                  "it must be a directory of yours that nobody else may write to");
  return {};
}

Result<> sync_file(sock::FdRef file) {
  if (::fsync(file.get()) != 0) return last_error("fsync");
  return {};
}

Result<> sync_directory(const std::string& path) {
  const auto directory = SOCKCTL_TRY(open_at(here, path, O_RDONLY | O_DIRECTORY));
  return sync_file(directory);
}

Result<> sync_filesystem(const std::string& directory) {
  const auto opened = SOCKCTL_TRY(open_at(here, directory, O_RDONLY | O_DIRECTORY));
  if (::syncfs(opened.get()) < 0) return last_error(directory);
  return {};
}

Result<> rename_path(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return last_error(to);
  return {};
}

Result<bool> try_lock(sock::FdRef file, Lock kind) {
  const int operation = (kind == Lock::shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
  for (;;) {
    if (::flock(file.get(), operation) == 0) return true;
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) return last_error("flock");
  }
}

Result<> lock(sock::FdRef file) {
  while (::flock(file.get(), LOCK_EX) != 0)
    if (errno != EINTR) return last_error("flock");
  return {};
}

}  // namespace sockctl
