// A thread for the length of one call.

#include "sys/thread.hpp"

#include <csignal>
#include <system_error>

#include "sys/error.hpp"

namespace sock::sys {

Result<std::jthread> start_thread(std::function<void()> work) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  // A new thread has its maker's mask: blocked here first, there is no moment in between.
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  Result<std::jthread> thread = sys_error(EAGAIN, "a thread");
  try {
    thread = std::jthread{std::move(work)};
  } catch (const std::system_error&) {
    // Said already.
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace sock::sys
