// A further process of a running container.

#include "sys/process.hpp"

#include "sock/container.hpp"

#include "base/try.hpp"
#include "container/container_impl.hpp"

namespace sock::container {

Result<std::optional<ExitStatus>> Member::wait_until(
    std::chrono::steady_clock::time_point deadline) {
  // Not under the lock: others may reap it meanwhile, and it stays readable after that.
  if (!SOCK_TRY(base::in_stage(Stage::wait, sys::wait_readable(pidfd, deadline))))
    return std::optional<ExitStatus>{};
  const std::scoped_lock lock{mutex_};
  if (status_) return status_;
  Witnesses witnesses;
  witnesses.reaped = SOCK_TRY(base::in_stage(Stage::wait, sys::reap(pidfd)));
  status_ = decide_status(witnesses);
  return status_;
}

}  // namespace sock::container

namespace sock {

Process::Process(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
Process::Process(Process&&) noexcept = default;
Process& Process::operator=(Process&&) noexcept = default;
Process::~Process() = default;

FdRef Process::pidfd() const noexcept {
  return impl_ ? impl_->member->pidfd.ref() : FdRef{};
}
pid_t Process::pid() const noexcept {
  return impl_ ? impl_->member->pid : -1;
}
FdRef Process::terminal() const noexcept {
  return impl_ ? impl_->member->terminal.ref() : FdRef{};
}

Result<ExitStatus> Process::wait() {
  const auto status = SOCK_TRY(wait_until(std::chrono::steady_clock::time_point::max()));
  return *status;
}

Result<std::optional<ExitStatus>> Process::wait_until(
    std::chrono::steady_clock::time_point deadline) {
  SOCK_TRY(container::require(impl_));
  return impl_->member->wait_until(deadline);
}

Result<> Process::signal(int number) {
  SOCK_TRY(container::require(impl_));
  return base::in_stage(Stage::kill, sys::send_signal(impl_->member->pidfd, number));
}

}  // namespace sock
