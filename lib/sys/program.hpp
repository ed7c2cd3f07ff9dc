#pragma once

// Starting one of our own programs that puts itself into the background: nothing of the caller's
// (signal mask and handlers, stdio, descriptors, session) reaches it but what is named here.

#include <span>
#include <string>

#include <sys/types.h>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

/// A program on its way into the background: our child until it has forked and ended. Move-only;
/// destroying it waits for that.
class Daemon {
 public:
  /// Runs `arguments[0]`, an absolute path, in a session of its own with /dev/null as stdio, an
  /// empty environment and `descriptors` as 3, 4, ...
  /// Safe from any thread of a large process (vfork). Blocking: until execve() has succeeded.
  static Result<Daemon> start(std::span<const std::string> arguments,
                              std::span<const FdRef> descriptors);
  Daemon(Daemon&& other) noexcept;
  Daemon& operator=(Daemon&& other) noexcept;
  ~Daemon();

  /// Waits until the started process has ended: with 0 is success, with anything else
  /// Errc::launch_failed. One that was reaped elsewhere (SIGCHLD ignored) counts as success.
  /// Blocking: until the program has forked.
  Result<> await();

 private:
  Daemon(pid_t child, std::string program) noexcept;
  pid_t child_;  ///< -1: it has been waited for.
  std::string program_;
};

}  // namespace sock::sys
