// The life of a container after its start: waiting, killing, reaping, its exit status.

#include "sock/container.hpp"

#include <signal.h>
#include <unistd.h>

#include "base/try.hpp"
#include "container/container_impl.hpp"
#include "sys/process.hpp"

namespace sock {
namespace {

using std::chrono::steady_clock;

// A process that was sent SIGKILL ends within milliseconds, unless the kernel has it in a wait that
// nothing interrupts.
constexpr auto kill_deadline = std::chrono::seconds{5};
// A domain's init reaps at once, unless the domain is paused.
constexpr auto reap_patience = std::chrono::seconds{1};

steady_clock::time_point waiter_limit(const ContainerSpec& spec) {
  if (spec.init != Init::none || !spec.time_limit) return steady_clock::time_point::max();
  return sys::deadline_in(*spec.time_limit);
}

// Complete or nothing: the init writes it with one write(2) before it exits. One that was killed
// has written nothing; then there is an end to read only if nobody holds a copy of its end, and a
// child that the embedding program has forked may.
std::optional<init::Report> read_report(FdRef pipe) {
  if (!pipe || !sys::wait_readable(pipe, std::chrono::steady_clock::now()).value_or(false))
    return {};
  init::Report report{};
  const auto count = sys::read_some(pipe, reinterpret_cast<char*>(&report), sizeof report);
  if (!count || *count != sizeof report || report.magic != init::report_magic) return {};
  return report;
}

bool owns_pid_namespace(const ContainerSpec& spec) {
  return !unsafe::contains(spec.namespaces.shared, unsafe::Shared::pid);
}

Result<> signal_unless_gone(FdRef pidfd, int number) {
  auto sent = sys::send_signal(pidfd, number);
  if (!sent && sent.error().code == Errc::closed) return {};
  return base::in_stage(Stage::kill, std::move(sent));
}

}  // namespace

Container::Impl::Impl(container::Workshop& host, const ContainerSpec& description)
    : workshop{host}, name{description.name}, spec{description}, resources{description.resources} {}

Container::Impl::~Impl() {
  if (::getpid() != owner)
    return;  // A copy made by fork() must not end what its parent still uses.
  if (launched.pidfd) end();
  if (has_name_) workshop.names.release(name);
}

Result<std::unique_ptr<Container::Impl>> Container::Impl::start(container::Workshop& workshop,
                                                                const ContainerSpec& spec,
                                                                const Launch& launch) {
  // It owns the name and the process as soon as there are any: running out of memory leaves
  // neither.
  auto impl = std::make_unique<Impl>(workshop, spec);
  SOCK_TRY(workshop.names.claim(spec.name));
  impl->has_name_ = true;
  Result<container::Launched> launched = launch();
  if (!launched) return std::unexpected(std::move(launched).error());
  impl->launched = *std::move(launched);
  impl->launched.cgroup.die_as_one(impl->dies_as_one());
  impl->time_limit = waiter_limit(spec);
  return impl;
}

std::optional<ExitStatus> Container::Impl::known_status() {
  const std::scoped_lock lock{mutex_};
  return status_;
}

void Container::Impl::add_member(container::Members entry) noexcept {
  const std::scoped_lock lock{mutex_};
  members_.splice(members_.end(), entry);
}

container::Members Container::Impl::members() {
  const std::scoped_lock lock{mutex_};
  return members_;
}

Result<> Container::Impl::reap_members() {
  for (const auto& member : members())
    if (SOCK_TRY(member->wait_until(Clock::now()))) forget(member);
  return {};
}

Result<std::unique_lock<std::mutex>> Container::Impl::hold_for_checkpoint() {
  std::unique_lock lock{freezing_};
  const auto refuse = [&](Errc code, std::string hint) {
    return base::refuse(code, Stage::checkpoint, name, std::move(hint));
  };
  if (known_status() || SOCK_TRY(sys::wait_readable(launched.pidfd, Clock::now())))
    return refuse(Errc::closed, "it has ended");
  if (paused_) return refuse(Errc::invalid_spec, "it is paused; resume it first");
  SOCK_TRY(reap_members());
  if (!members().empty())
    return refuse(Errc::unsupported, "a process that was started by exec() still runs in it");
  return lock;
}

// True when the first process has ended. Members are reaped on the way: they are this process's
// children, and the kernel lets the init of a pid namespace end only after all others are reaped.
Result<bool> Container::Impl::wait_for_end(Clock::time_point deadline) {
  for (;;) {
    const container::Members awaited_members = members();
    std::vector<FdRef> awaited{launched.pidfd.ref()};
    for (const auto& member : awaited_members) awaited.push_back(member->pidfd);
    if (!SOCK_TRY(sys::wait_any(awaited, deadline))) return false;
    SOCK_TRY(reap_members());
    if (SOCK_TRY(sys::wait_readable(launched.pidfd, Clock::now()))) return true;
  }
}

void Container::Impl::forget(const std::shared_ptr<container::Member>& member) {
  const std::scoped_lock lock{mutex_};
  std::erase(members_, member);
}

Result<> Container::Impl::kill() {
  const auto deadline = Clock::now() + kill_deadline;
  if (!known_status()) {
    SOCK_TRY(signal_unless_gone(launched.pidfd, SIGKILL));
    // The signal is pending already: thawed, it dies and runs nothing.
    const std::scoped_lock lock{freezing_};
    if (paused_) SOCK_TRY(launched.cgroup.thaw());
    paused_ = false;
  }
  // With a pid namespace, the first process is its init: the kernel kills all others before this
  // one's end can be seen.
  if (!owns_pid_namespace(spec)) SOCK_TRY(launched.cgroup.kill_all(deadline));
  if (SOCK_TRY(base::in_stage(Stage::kill, wait_for_end(deadline)))) return {};
  return base::refuse(Errc::timed_out, Stage::kill, name,
                      "a process is stuck in the kernel; see its stack in /proc");
}

Result<std::optional<sys::WaitStatus>> Container::Impl::status_of_first() {
  if (launched.parent == container::Parent::host) return sys::reap(launched.pidfd);
  return sys::status_of_foreign(launched.pidfd, Clock::now() + reap_patience);
}

// Nobody can try again after the destructor. A call that failed once (poll for lack of memory) must
// not leave a process, or a zombie for as long as the program lives.
void Container::Impl::end() {
  constexpr int most_attempts = 3;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    const auto killed = kill();
    if (killed && collect()) return;
    if (!killed && killed.error().code == Errc::timed_out) return;
  }
}

Result<ExitStatus> Container::Impl::collect() {
  const std::scoped_lock lock{mutex_};
  if (status_) return *status_;
  container::Witnesses witnesses;
  witnesses.init = read_report(launched.init_report);
  witnesses.reaped = SOCK_TRY(base::in_stage(Stage::wait, status_of_first()));
  witnesses.timed_out = timed_out_;
  // Counting costs a read: only where the answer would depend on it.
  if (container::may_be_oom(witnesses)) witnesses.oom_kills = launched.cgroup.oom_kills();
  status_ = container::decide_status(witnesses);
  return *status_;
}

Result<std::optional<ExitStatus>> Container::Impl::wait_until(Clock::time_point deadline) {
  if (auto known = known_status()) return known;
  if (!SOCK_TRY(base::in_stage(Stage::wait, wait_for_end(std::min(deadline, time_limit))))) {
    if (Clock::now() < time_limit) return std::optional<ExitStatus>{};
    {
      const std::scoped_lock lock{mutex_};
      timed_out_ = true;
    }
    SOCK_TRY(kill());
  }
  return SOCK_TRY(collect());
}

}  // namespace sock
