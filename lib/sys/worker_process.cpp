// Starting a program in a child that shares the caller's memory until it has called execve().

#include "sys/worker_process.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/try.hpp"
#include "sys/error.hpp"
#include "sys/process.hpp"
#include "sys/raw.hpp"
#include "sys/spawn.hpp"

namespace sock::sys {
namespace {

constexpr int first_passed = 3;

struct Start {
  const WorkerSpec& spec;
  char* const* argv;
  char* const* envp;
  std::optional<Error> failure;
};

// Handlers first: one of the caller's must not run here when signals are let in again.
Result<> reset_signals() {
  struct KernelAction {  // As the kernel's own: all zeros is the default action.
    void* handler;
    std::uint64_t flags;
    void* restorer;
    std::uint64_t mask;
  };
  const KernelAction nothing{};
  for (int number = 1; number < _NSIG; ++number)
    raw::call(SYS_rt_sigaction, number, &nothing, nullptr, sizeof nothing.mask);
  const std::uint64_t none = 0;
  if (raw::call(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none) < 0)
    return sys_error(EINVAL, "signals");
  return {};
}

// Through copies above every target number, so that no dup2() overwrites a source of a later one.
Result<> arrange_descriptors(const std::vector<WorkerSpec::Passed>& passed) {
  // What the caller has open without close-on-exec is none of the program's business.
  if (::close_range(first_passed, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
    return sys_error(errno, "descriptors");
  int above = first_passed;
  for (const auto& each : passed) above = std::max(above, each.as + 1);
  std::vector<int> copies;
  for (const auto& each : passed) {
    copies.push_back(::fcntl(each.from.get(), F_DUPFD_CLOEXEC, above));
    if (copies.back() < 0) return sys_error(errno, "descriptors");
  }
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing < 0) return sys_error(errno, "/dev/null");
  for (int stdio = 0; stdio < first_passed; ++stdio)
    if (::dup2(nothing, stdio) < 0) return sys_error(errno, "descriptors");
  if (nothing < first_passed) ::fcntl(nothing, F_SETFD, 0);
  for (std::size_t i = 0; i < passed.size(); ++i)
    if (::dup2(copies[i], passed[i].as) < 0) return sys_error(errno, "descriptors");
  return {};
}

Result<> become_program(const Start& start) {
  if (start.spec.prepare) SOCK_TRY(start.spec.prepare());
  SOCK_TRY(arrange_descriptors(start.spec.descriptors));
  ::setsid();
  // After the last change of credentials, which would clear it.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return sys_error(errno, "parent's death");
  SOCK_TRY(reset_signals());
  ::execve(start.argv[0], start.argv, start.envp);
  return sys_error(errno, start.argv[0]);
}

void run(void* argument) noexcept {
  Start& start = *static_cast<Start*>(argument);
  auto done = become_program(start);
  start.failure = std::move(done).error();
  constexpr int cannot_execute = 127;
  raw::call(SYS_exit_group, cannot_execute);
}

/// For execve(), which writes to nothing: its prototype is older than const.
std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const auto& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Result<WorkerProcess> WorkerProcess::start(const WorkerSpec& spec) {
  const auto argv = pointers_to(spec.argv);
  const auto envp = pointers_to(spec.env);
  Start request{.spec = spec, .argv = argv.data(), .envp = envp.data(), .failure = {}};
  constexpr std::size_t stack_size = 256 * 1024;
  const auto stack = std::make_unique_for_overwrite<std::byte[]>(stack_size);
  Spawned spawned = SOCK_TRY(spawn({.flags = 0,
                                    .call = CloneCall::clone,
                                    .stack = {stack.get(), stack_size},
                                    .entry = run,
                                    .entry_argument = &request}));
  if (!request.failure) return WorkerProcess{std::move(spawned.pidfd)};
  static_cast<void>(reap(spawned.pidfd).has_value());
  return std::unexpected(std::move(*request.failure));
}

Result<> WorkerProcess::finish(Deadline deadline) {
  const auto refuse = [](Errc code, std::string why) {
    return base::refuse(code, Stage::none, "worker", std::move(why));
  };
  if (!SOCK_TRY(wait_readable(pidfd_, deadline)))
    return refuse(Errc::timed_out, "it did not end in time");
  const auto status = SOCK_TRY(reap(pidfd_));
  pidfd_.reset();
  if (!status || (!status->signaled && status->value == 0)) return {};
  return refuse(Errc::launch_failed, (status->signaled ? "it died of signal " : "it exited with ") +
                                         std::to_string(status->value));
}

WorkerProcess::~WorkerProcess() {
  if (!pidfd_) return;
  static_cast<void>(send_signal(pidfd_, SIGKILL).has_value());
  static_cast<void>(reap(pidfd_).has_value());
}

}  // namespace sock::sys
