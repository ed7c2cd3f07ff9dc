// Killing everything in one group.

#include "isolation/cgroup/emptying.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <string>
#include <vector>

#include <signal.h>

#include "base/try.hpp"
#include "isolation/cgroup/events.hpp"
#include "sys/file.hpp"
#include "sys/kernfs.hpp"

namespace sock::isolation {
namespace {

using std::chrono::steady_clock;

/// Descriptors open at a time: a group may hold more processes than this process may open files.
constexpr std::size_t batch_size = 32;

/// The processes of a group, without those that are in no pid namespace of ours (listed as 0).
/// KERNEL: a v1 cgroup.procs that is kept open may show a list up to a second old. Open it each
/// time.
Result<std::vector<pid_t>> list_processes(FdRef group) {
  const std::string text = SOCK_TRY(sys::read_file(group, "cgroup.procs", 16U << 20U));
  std::vector<pid_t> pids;
  const char* position = text.data();
  const char* const end = text.data() + text.size();
  while (position < end) {
    pid_t pid = 0;
    const auto [stop, error] = std::from_chars(position, end, pid);
    if (error != std::errc{}) break;
    if (pid > 0) pids.push_back(pid);
    position = stop + 1;
  }
  return pids;
}

Result<> signal_batch(FdRef group, std::vector<pid_t>::const_iterator begin,
                      std::vector<pid_t>::const_iterator end, std::vector<UniqueFd>& signalled) {
  std::vector<std::pair<pid_t, UniqueFd>> opened;
  for (auto pid = begin; pid != end; ++pid) {
    auto pidfd = sys::open_pidfd(*pid);
    if (pidfd)
      opened.emplace_back(*pid, std::move(*pidfd));
    else if (pidfd.error().code == Errc::exhausted && opened.empty())
      return std::unexpected(std::move(pidfd).error());
  }
  // A number may have been given to another process before it was opened. What is listed now and
  // still alive behind its pidfd is in the group.
  const std::vector<pid_t> listed = SOCK_TRY(list_processes(group));
  for (auto& [pid, pidfd] : opened) {
    if (std::find(listed.begin(), listed.end(), pid) == listed.end()) continue;
    const auto sent = sys::send_signal(pidfd, SIGKILL);
    if (!sent && sent.error().code != Errc::closed) return std::unexpected(sent.error());
    signalled.push_back(std::move(pidfd));
  }
  return {};
}

std::unexpected<Error> too_late(std::string subject) {
  return base::refuse(Errc::timed_out, Stage::kill, std::move(subject),
                      "a process in it does not die; it may hang in the kernel");
}

/// Signals every process of the group once, and waits for the last ones to exit. Returns whether
/// there was anybody to signal.
Result<bool> signal_all(FdRef group, sys::Deadline deadline) {
  const std::vector<pid_t> pids = SOCK_TRY(list_processes(group));
  std::vector<UniqueFd> signalled;
  bool any = false;
  for (std::size_t at = 0; at < pids.size(); at += batch_size) {
    signalled.clear();
    const auto begin = pids.begin() + static_cast<std::ptrdiff_t>(at);
    const auto size = static_cast<std::ptrdiff_t>(std::min(batch_size, pids.size() - at));
    SOCK_TRY(signal_batch(group, begin, begin + size, signalled));
    any = any || !signalled.empty();
  }
  for (const UniqueFd& pidfd : signalled)
    if (!SOCK_TRY(sys::wait_readable(pidfd, deadline))) return too_late("cgroup.procs");
  return any;
}

/// A missing file is success.
Result<bool> write_if_there(FdRef group, const std::string& file, std::string_view value) {
  const auto written = sys::write_at(group, file, value);
  if (written) return true;
  if (written.error().code == Errc::not_found) return false;
  return std::unexpected(written.error());
}

Result<> empty_by_signals(FdRef group, sys::Deadline deadline) {
  std::chrono::microseconds pause{50};
  while (!SOCK_TRY(list_processes(group)).empty()) {
    const bool signalled = SOCK_TRY(signal_all(group, deadline));
    if (steady_clock::now() >= deadline) return too_late("cgroup.procs");
    if (signalled) continue;
    // Whoever is listed is past the reach of signals and about to leave; nothing announces it.
    sys::wait_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds{10'000});
  }
  return {};
}

Result<bool> empty_unstaged(FdRef group, KillBy by, sys::Deadline deadline) {
  // KERNEL: a task that a v1 freezer holds does not die before it is thawed.
  SOCK_TRY(write_if_there(group, "freezer.state", "THAWED"));
  const auto events = sys::open(group, "cgroup.events", O_RDONLY);
  if (events && SOCK_TRY(event_holds(*events, "populated", 0))) return false;
  if (by == KillBy::cgroup_kill && events && SOCK_TRY(write_if_there(group, "cgroup.kill", "1"))) {
    if (!SOCK_TRY(wait_event(*events, "populated", 0, deadline))) return too_late("cgroup.events");
    return true;
  }
  SOCK_TRY(empty_by_signals(group, deadline));
  return false;
}

}  // namespace

Result<std::size_t> count_processes(FdRef group) {
  return SOCK_TRY(list_processes(group))
  .size();
}

Result<bool> empty_group(FdRef group, KillBy by, sys::Deadline deadline) {
  return base::in_stage(Stage::kill, empty_unstaged(group, by, deadline));
}

Result<> remove_empty(FdRef parent, const std::string& name, sys::Deadline deadline) {
  std::chrono::microseconds pause{50};
  for (;;) {
    auto removed = base::in_stage(Stage::kill, sys::remove_dir(parent, name));
    if (removed || removed.error().sys_errno != EBUSY) return removed;
    if (steady_clock::now() >= deadline) return too_late(name);
    sys::wait_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds{10'000});
  }
}

}  // namespace sock::isolation
