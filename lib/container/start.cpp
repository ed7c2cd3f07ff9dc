// Carrying out a finished plan.

#include "container/start.hpp"

#include <chrono>

#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base/try.hpp"
#include "sys/clock.hpp"
#include "sys/error.hpp"
#include "sys/process.hpp"
#include "sys/raw.hpp"

namespace sock::container {
namespace {

Result<sys::Spawned> spawn_directly(PlanMemory& memory, ChildStacks& stacks,
                                    const StartRequest& request) {
  return sys::spawn(
      {.flags = request.namespaces,
       .call = request.features.clone3 ? sys::CloneCall::clone3 : sys::CloneCall::clone,
       .cgroup = request.cgroup.get(),
       .stack = stacks.first,
       .entry = child::run,
       .entry_argument = &memory.plan});
}

// A thousand times what it takes.
constexpr std::chrono::seconds patience_inside{5};

// Ended before it could say why: killed from outside, most likely for the memory limit.
std::unexpected<Error> died(const std::optional<sys::WaitStatus>& status) {
  const std::string how =
      status && status->signaled ? "signal " + std::to_string(status->value) : "unknown";
  return base::refuse(Errc::launch_failed, Stage::clone, "the child died: " + how,
                      "a memory limit below what a start needs does this");
}

// The intermediate shares our descriptor table, so that the pidfd of the process that it makes is
// ours; CLONE_PARENT makes that process our child, not its own.
Result<sys::Spawned> spawn_inside(PlanMemory& memory, ChildStacks& stacks,
                                  const StartRequest& request) {
  int made = -1;
  const std::uint64_t flags =
      request.namespaces | CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_PARENT;
  clone_args arguments{};
  arguments.flags = flags | (request.cgroup ? CLONE_INTO_CGROUP : 0);
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&made);
  arguments.stack = reinterpret_cast<std::uint64_t>(stacks.first.data());
  arguments.stack_size = stacks.first.size();
  arguments.cgroup = request.cgroup ? static_cast<std::uint64_t>(request.cgroup.get()) : 0;
  std::byte* const top = stacks.first.data() + stacks.first.size();
  child::EnterPlan enter = *request.enter;
  enter.clone =
      request.features.clone3
          ? sys::raw::CloneRequest{.number = SYS_clone3,
                                   .arguments = {sys::raw::argument(&arguments), sizeof arguments,
                                                 0, 0, 0},
                                   .entry = child::run,
                                   .entry_argument = &memory.plan}
          : sys::raw::CloneRequest{.number = SYS_clone,
                                   .arguments = {static_cast<long>(flags), sys::raw::argument(top),
                                                 sys::raw::argument(&made), 0, 0},
                                   .entry = child::run,
                                   .entry_argument = &memory.plan};
  alignas(16) std::array<std::byte, 4096> stack;
  const sys::Spawned between = SOCK_TRY(sys::spawn({.flags = CLONE_FILES,
                                                    .call = sys::CloneCall::clone,
                                                    .stack = stack,
                                                    .entry = child::enter,
                                                    .entry_argument = &enter,
                                                    .made = &made,
                                                    .patience = patience_inside}));
  // KERNEL: a clone that is refused late has written a number that it freed again: by now it may be
  // a descriptor of another thread.
  UniqueFd pidfd{enter.cloned < 0 ? -1 : made};
  const auto reaped = sys::reap(between.pidfd);
  if (enter.cloned < 0) return sys::sys_error(static_cast<int>(-enter.cloned), "namespaces");
  if (enter.cloned == 0) {
    // Killed before it could say what it has made, which walks the plan in our memory still.
    const bool is_ours = pidfd && sys::send_signal(pidfd, SIGKILL).has_value();
    if (is_ours)
      static_cast<void>(sys::reap(pidfd).has_value());
    else
      static_cast<void>(pidfd.release());
    return died(reaped ? *reaped : std::nullopt);
  }
  // Whatever it has come to: it was killed on the way.
  if (between.patience_ended) {
    static_cast<void>(sys::reap(pidfd).has_value());
    return base::refuse(
        Errc::timed_out, Stage::clone, "the child",
        "it did not come to its program in 5 s: it was stopped, or its file is slow");
  }
  // A failure to reap is no reason to lose sight of the process that was made.
  return sys::Spawned{.pidfd = std::move(pidfd), .pid = static_cast<pid_t>(enter.cloned)};
}

}  // namespace

Result<sys::Spawned> start(PlanMemory& memory, ChildStacks& stacks, const StartRequest& request) {
  child::Report& report = memory.report;
  memory.plan.handlers_cleared = request.features.clone3 && !request.enter;
  report.last_mark = sys::monotonic_nanoseconds();
  sys::Spawned spawned = SOCK_TRY(
      base::in_stage(Stage::clone, request.enter ? spawn_inside(memory, stacks, request)
                                                 : spawn_directly(memory, stacks, request)));
  if (report.failed == Stage::none && report.executing) return spawned;
  const auto status = SOCK_TRY(base::in_stage(Stage::wait, sys::reap(spawned.pidfd)));
  if (report.failed == Stage::none) return died(status);
  return std::unexpected(explain(report, memory.plan));
}

void append_timings(const child::Report& report, std::vector<StageTiming>& timings) {
  const auto exec = static_cast<std::size_t>(Stage::exec);
  for (auto stage = static_cast<std::size_t>(Stage::clone); stage < exec; ++stage)
    if (report.elapsed[stage] > 0)
      timings.push_back({.stage = static_cast<Stage>(stage),
                         .elapsed = std::chrono::nanoseconds{report.elapsed[stage]}});
  timings.push_back(
      {.stage = Stage::exec,
       .elapsed = std::chrono::nanoseconds{sys::monotonic_nanoseconds() - report.last_mark}});
}

}  // namespace sock::container
