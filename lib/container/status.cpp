// How a container ended.

#include "container/status.hpp"

#include <array>

#include <signal.h>
#include <sys/wait.h>

namespace sock {

std::string_view to_string(ExitStatus::Kind kind) noexcept {
  constexpr std::array<std::string_view, 5> names{"exited", "signaled", "oom_killed", "timed_out",
                                                  "lost"};
  return names[static_cast<std::size_t>(kind)];
}

}  // namespace sock

namespace sock::container {
namespace {

ExitStatus by_signal(int number, const Witnesses& witnesses) {
  using Kind = ExitStatus::Kind;
  if (witnesses.timed_out || (witnesses.init && witnesses.init->timed_out != 0))
    return {.kind = Kind::timed_out, .value = number};
  if (number == SIGKILL && witnesses.oom_kills > 0)
    return {.kind = Kind::oom_killed, .value = number};
  return {.kind = Kind::signaled, .value = number};
}

}  // namespace

bool may_be_oom(const Witnesses& witnesses) {
  if (witnesses.init)
    return WIFSIGNALED(witnesses.init->wait_status) &&
           WTERMSIG(witnesses.init->wait_status) == SIGKILL;
  return witnesses.reaped && witnesses.reaped->signaled && witnesses.reaped->value == SIGKILL;
}

ExitStatus decide_status(const Witnesses& witnesses) {
  // Init knows the payload's own status; its own exit code cannot tell a signal from 128 + n.
  if (witnesses.init) {
    const int status = witnesses.init->wait_status;
    if (WIFSIGNALED(status)) return by_signal(WTERMSIG(status), witnesses);
    return {.kind = ExitStatus::Kind::exited, .value = WEXITSTATUS(status)};
  }
  if (!witnesses.reaped) return {.kind = ExitStatus::Kind::lost, .value = 0};
  if (witnesses.reaped->signaled) return by_signal(witnesses.reaped->value, witnesses);
  return {.kind = ExitStatus::Kind::exited, .value = witnesses.reaped->value};
}

}  // namespace sock::container
