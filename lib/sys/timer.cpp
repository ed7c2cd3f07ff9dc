// timerfd.

#include "sys/timer.hpp"

#include <algorithm>

#include <sys/timerfd.h>

#include "sys/error.hpp"

namespace sock::sys {

Result<UniqueFd> make_timer() {
  UniqueFd timer{::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)};
  if (!timer) return sys_error(errno, "timerfd");
  return timer;
}

// Setting it also takes back that it has expired.
Result<> arm_timer(FdRef timer, std::chrono::steady_clock::time_point at) {
  // All zero would disarm it.
  const auto since_boot = std::max(at.time_since_epoch(), std::chrono::steady_clock::duration{1});
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
  itimerspec when{};
  when.it_value.tv_sec = seconds.count();
  when.it_value.tv_nsec = (since_boot - seconds).count();
  if (::timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &when, nullptr) != 0)
    return sys_error(errno, "timerfd");
  return {};
}

}  // namespace sock::sys
