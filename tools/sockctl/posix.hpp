#pragma once

// System calls as Results. posix.cpp is the only file of sockctl that knows errno; the others make
// their errors with last_error(). Every descriptor is close-on-exec.

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <poll.h>
#include <sys/types.h>

#include "sock/fd.hpp"

#include "try.hpp"

namespace sockctl {

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

/// The error of the system call that has just failed.
std::unexpected<Error> last_error(std::string subject, std::string hint = {});
/// True for the errors that say "not now": EAGAIN.
bool would_block(const Error& error);

Result<sock::UniqueFd> open_at(sock::FdRef dir, const std::string& path, int flags,
                               mode_t mode = 0);
inline constexpr sock::FdRef here{-100};  ///< AT_FDCWD

struct Pipe {
  sock::UniqueFd reader;
  sock::UniqueFd writer;
};
Result<Pipe> make_pipe();
Result<> set_nonblocking(sock::FdRef fd);

/// One read(2) or write(2).
Result<std::size_t> read_some(sock::FdRef fd, std::span<char> buffer);
Result<std::size_t> write_some(sock::FdRef fd, std::string_view text);
Result<> write_all(sock::FdRef fd, std::string_view text);
/// Everything up to the end; more than `limit` bytes are an error.
Result<std::string> read_all(sock::FdRef fd, std::size_t limit);

/// An empty file that has no name.
Result<sock::UniqueFd> make_memory_file();
/// To its start.
Result<> rewind_file(sock::FdRef file);

/// The number of ready descriptors; 0 at the deadline.
Result<int> wait_for(std::span<pollfd> fds, Deadline deadline);
/// What became of a connect(2) that did not wait, when the socket can be written.
Result<> require_connected(sock::FdRef socket, std::string subject, std::string hint);

/// Blocks these signals in the process, and gives a descriptor that reports them.
Result<sock::UniqueFd> signal_fd(std::span<const int> signals);
/// The number of one reported signal; empty when there is none.
Result<std::optional<int>> next_signal(sock::FdRef signals);

/// Opens /dev/null where 0, 1 or 2 is closed, so that no other descriptor gets their numbers.
void fill_stdio();

/// A regular file to be written anew, made where it is missing. A link anywhere in its path, a pipe
/// or a device is refused: a payload may have put it there.
Result<sock::UniqueFd> open_result_file(const std::string& path);

/// Makes a directory with mode 0700, or accepts one that is ours alone.
Result<> ensure_private_dir(const std::string& path);
/// What was written is on the disk at the return; of a directory, its names.
Result<> sync_file(sock::FdRef file);
Result<> sync_directory(const std::string& path);
/// All that anybody has written to the file system that has the directory.
Result<> sync_filesystem(const std::string& directory);
/// Replaces what has the new name, if it is of the same kind.
Result<> rename_path(const std::string& from, const std::string& to);
enum class Lock : std::uint8_t { shared, exclusive };
/// False when somebody else holds the lock.
Result<bool> try_lock(sock::FdRef file, Lock lock);
/// Blocking: until whoever holds it lets go; holders do so within milliseconds.
Result<> lock(sock::FdRef file);

}  // namespace sockctl
