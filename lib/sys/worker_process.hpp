#pragma once

// A program that works for us, and ends with its handle: nothing of the caller's (signal mask and
// handlers, stdio, descriptors, session, environment) reaches it but what is named here.

#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "sys/process.hpp"

namespace sock::sys {

struct WorkerSpec {
  struct Passed {
    FdRef from;
    int as;  ///< Above 2; each once.
  };
  std::vector<std::string> argv;  ///< argv[0] is an absolute path.
  std::vector<std::string> env = {};
  std::vector<Passed> descriptors = {};  ///< Beside stdio, which is /dev/null.
  /// Runs in the new process before it becomes the program, in the caller's memory but with
  /// descriptors, credentials and namespaces of its own. May allocate, but must not throw, nor keep
  /// thread-local state.
  std::function<Result<>()> prepare = {};
};

/// Move-only; destroying it kills and reaps the program. The kernel kills it when the thread that
/// has started it ends (so that thread keeps the handle), unless `prepare` makes its real ids
/// differ from the effective ones.
class WorkerProcess {
 public:
  /// Safe from any thread of a large process (vfork). Blocking: until execve() has succeeded.
  static Result<WorkerProcess> start(const WorkerSpec& spec);
  WorkerProcess(WorkerProcess&&) noexcept = default;
  WorkerProcess& operator=(WorkerProcess&&) = delete;
  ~WorkerProcess();

  [[nodiscard]] FdRef pidfd() const noexcept { return pidfd_; }
  /// Waits for its end; success is exit code 0. Errc::timed_out at the deadline.
  Result<> finish(Deadline deadline);

 private:
  explicit WorkerProcess(UniqueFd pidfd) noexcept : pidfd_{std::move(pidfd)} {}
  UniqueFd pidfd_;
};

}  // namespace sock::sys
