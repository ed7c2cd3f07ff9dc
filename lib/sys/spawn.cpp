// Children that share the caller's memory.

#include "sys/spawn.hpp"

#include <array>
#include <memory>
#include <mutex>

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/try.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/gate.hpp"
#include "sys/process.hpp"
#include "sys/raw.hpp"

namespace sock::sys {
namespace {

// Blocks every signal, those that the C library keeps for itself included: a handler must not run
// in a child that shares our memory.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() noexcept {
    const std::uint64_t all = ~std::uint64_t{0};
    raw::call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &saved_, sizeof all);
  }
  ~AllSignalsBlocked() {
    raw::call(SYS_rt_sigprocmask, SIG_SETMASK, &saved_, nullptr, sizeof saved_);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  std::uint64_t saved_ = 0;
};

// A child that changes its user while it shares our memory makes the kernel clear the flag for the
// memory, and so for us: no core dumps, and /proc/self would belong to root. With several threads
// at work the first one finds what it was, and the last one says so again: in between it is what
// their children have made of it.
class KeptDumpable {
 public:
  KeptDumpable() {
    const std::scoped_lock lock{mutex};
    if (users++ == 0) saved = raw::call(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
  }
  ~KeptDumpable() {
    const std::scoped_lock lock{mutex};
    if (--users == 0 && saved == 1) raw::call(SYS_prctl, PR_SET_DUMPABLE, saved, 0, 0, 0);
  }
  KeptDumpable(const KeptDumpable&) = delete;
  KeptDumpable& operator=(const KeptDumpable&) = delete;

 private:
  // Of the process, as the flag is.
  inline static std::mutex mutex;
  inline static int users = 0;
  inline static long saved = 0;
};

long make_clone3(const SpawnRequest& request, std::uint64_t flags, int* pidfd) {
  clone_args arguments{};
  arguments.flags = flags | CLONE_CLEAR_SIGHAND;
  if (request.cgroup >= 0) arguments.flags |= CLONE_INTO_CGROUP;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(pidfd);
  arguments.stack = reinterpret_cast<std::uint64_t>(request.stack.data());
  arguments.stack_size = request.stack.size();
  arguments.cgroup = request.cgroup >= 0 ? static_cast<std::uint64_t>(request.cgroup) : 0;
  return raw::clone_on_stack({.number = SYS_clone3,
                              .arguments = {raw::argument(&arguments), sizeof arguments, 0, 0, 0},
                              .entry = request.entry,
                              .entry_argument = request.entry_argument});
}

long make_clone(const SpawnRequest& request, std::uint64_t flags, int* pidfd) {
  std::byte* top = request.stack.data() + request.stack.size();
  return raw::clone_on_stack(
      {.number = SYS_clone,
       .arguments = {static_cast<long>(flags), raw::argument(top), raw::argument(pidfd), 0, 0},
       .entry = request.entry,
       .entry_argument = request.entry_argument});
}

// KERNEL: waiting by CLONE_VFORK has no end as long as the child is stopped, which whoever is in a
// namespace that it has entered may do to it. SIGKILL ends a stopped one too.
// False when that was needed.
bool wait_for_maker(FdRef maker, const SpawnRequest& request) {
  if (wait_readable(maker, deadline_in(request.patience)).value_or(false)) return true;
  do  // Again and again: it may have made none yet.
    raw::call(SYS_pidfd_send_signal, *request.made, SIGKILL, nullptr, 0);
  while (!wait_readable(maker, deadline_in(request.patience)).value_or(false));
  return false;
}

struct Work {
  const std::function<void()>* function;
};

void run_work(void* argument) {
  (*static_cast<Work*>(argument)->function)();
  raw::call(SYS_exit_group, 0);
}

}  // namespace

Result<Spawned> spawn(const SpawnRequest& request) {
  int pidfd = -1;
  const std::uint64_t vfork = request.made == nullptr ? CLONE_VFORK : 0;
  const std::uint64_t flags = request.flags | CLONE_VM | CLONE_PIDFD | vfork;
  long pid;
  bool in_time = true;
  {
    const AllSignalsBlocked blocked;
    const KeptDumpable kept;
    pid = request.call == CloneCall::clone3 ? make_clone3(request, flags, &pidfd)
                                            : make_clone(request, flags, &pidfd);
    if (pid >= 0 && request.made != nullptr) in_time = wait_for_maker(FdRef{pidfd}, request);
  }
  if (pid < 0) return sys_error(static_cast<int>(-pid), "clone");
  return Spawned{
      .pidfd = UniqueFd{pidfd}, .pid = static_cast<pid_t>(pid), .patience_ended = !in_time};
}

Result<> run_in_child(const std::function<void()>& work) {
  constexpr std::size_t stack_size = 256 * 1024;
  const auto stack = std::make_unique_for_overwrite<std::byte[]>(stack_size);
  Work argument{&work};
  const Spawned child = SOCK_TRY(spawn({.flags = CLONE_FILES,
                                        .call = CloneCall::clone,
                                        .stack = {stack.get(), stack_size},
                                        .entry = run_work,
                                        .entry_argument = &argument}));
  SOCK_TRY(reap(child.pidfd));
  return {};
}

struct UserNamespaceHolder::Impl {
  std::array<int, 2> ends{};
  alignas(16) std::array<std::byte, 4096> stack{};
  UniqueFd gate;
  UniqueFd pidfd;
  pid_t pid = -1;
};

UserNamespaceHolder::UserNamespaceHolder(std::unique_ptr<Impl> impl) noexcept
    : impl_{std::move(impl)} {}
UserNamespaceHolder::UserNamespaceHolder(UserNamespaceHolder&&) noexcept = default;

Result<UserNamespaceHolder> UserNamespaceHolder::start() {
  Pipe gate = SOCK_TRY(make_pipe());
  auto impl = std::make_unique<Impl>();
  impl->ends = {gate.reader.get(), gate.writer.get()};
  int pidfd = -1;
  long pid;
  {
    const AllSignalsBlocked blocked;
    pid = raw::clone_on_stack({.number = SYS_clone,
                               .arguments = {CLONE_VM | CLONE_NEWUSER | CLONE_PIDFD,
                                             raw::argument(impl->stack.data() + impl->stack.size()),
                                             raw::argument(&pidfd), 0, 0},
                               .entry = wait_at_gate,
                               .entry_argument = impl->ends.data()});
  }
  if (pid < 0) return sys_error(static_cast<int>(-pid), "user namespace");
  impl->gate = std::move(gate.writer);
  impl->pidfd = UniqueFd{pidfd};
  impl->pid = static_cast<pid_t>(pid);
  return UserNamespaceHolder{std::move(impl)};
}

UserNamespaceHolder::~UserNamespaceHolder() {
  if (!impl_) return;
  impl_->gate.reset();
  // Not the gate alone: a child that another thread is starting may hold a copy of it.
  static_cast<void>(send_signal(impl_->pidfd, SIGKILL).has_value());
  static_cast<void>(reap(impl_->pidfd).has_value());
}

pid_t UserNamespaceHolder::pid() const noexcept {
  return impl_->pid;
}

Result<> enter_namespace(FdRef ns, int kind) {
  if (::setns(ns.get(), kind) < 0) return sys_error(errno, "setns");
  return {};
}

Result<> leave_namespaces(int kinds) {
  if (::unshare(kinds) < 0) return sys_error(errno, "unshare");
  return {};
}

}  // namespace sock::sys
