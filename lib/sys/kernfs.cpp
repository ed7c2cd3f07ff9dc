// Waiting and asking on pseudo file systems.

#include "sys/kernfs.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "sys/error.hpp"
#include "sys/file.hpp"

namespace sock::sys {
namespace {

timespec to_timespec(std::chrono::nanoseconds duration) {
  const std::int64_t count = std::max<std::int64_t>(0, duration.count());
  return {.tv_sec = count / 1'000'000'000, .tv_nsec = count % 1'000'000'000};
}

}  // namespace

Result<bool> wait_changed(FdRef file, Deadline deadline) {
  for (;;) {
    const timespec timeout = to_timespec(deadline - std::chrono::steady_clock::now());
    // KERNEL: kernfs announces a change by POLLPRI and POLLERR, and plain POLLIN always holds.
    pollfd waiting{.fd = file.get(), .events = POLLPRI, .revents = 0};
    const int ready =
        ::ppoll(&waiting, 1, deadline == Deadline::max() ? nullptr : &timeout, nullptr);
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) return sys_error(errno, "poll");
  }
}

void wait_for(std::chrono::nanoseconds pause) noexcept {
  const timespec timeout = to_timespec(pause);
  ::ppoll(nullptr, 0, &timeout, nullptr);
}

Result<std::string> read_record(FdRef file) {
  std::array<char, 1024> buffer;
  for (;;) {
    const ssize_t count = ::pread(file.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return sys_error(errno, "kept file");
    const auto size = static_cast<std::size_t>(count);
    return size < buffer.size() ? std::string{buffer.data(), size} : reread(file);
  }
}

bool is_writable(const std::string& directory) noexcept {
  return ::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
}

}  // namespace sock::sys
