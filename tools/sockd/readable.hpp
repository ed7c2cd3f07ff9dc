#pragma once

// Whether a descriptor has something to say now: of a pidfd, that its process has ended.

#include <chrono>

#include "sock/fd.hpp"

#include "posix.hpp"

namespace sockd {

/// What cannot be asked counts as readable: whoever reads it finds out why.
inline bool is_readable(sock::FdRef file) {
  pollfd asked{.fd = file.get(), .events = POLLIN, .revents = 0};
  const auto ready = sockctl::wait_for({&asked, 1}, std::chrono::steady_clock::now());
  return !ready.has_value() || *ready > 0;
}

}  // namespace sockd
