// The fork itself.

#include "server/fork.hpp"

#include <cerrno>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sock::zygote {

// The intermediate process runs on this very frame (vfork), deeper: the child's copy of the stack
// is therefore whole, and the child can return. It must not be inlined, since it returns twice.
[[gnu::noinline]] Forked fork_into_namespaces(std::uint64_t namespaces) noexcept {
  volatile int failure = 0;
  const pid_t between = ::vfork();
  if (between < 0) return {.side = Side::failed, .sys_errno = errno};
  if (between == 0) {
    if (::unshare(static_cast<int>(namespaces)) < 0) {
      failure = errno;
      ::_exit(1);
    }
    const pid_t child = ::fork();
    if (child == 0) return {.side = Side::child};
    if (child < 0) failure = errno;
    ::_exit(0);
  }
  while (::waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (failure != 0) return {.side = Side::failed, .sys_errno = failure};
  return {.side = Side::zygote};
}

}  // namespace sock::zygote
