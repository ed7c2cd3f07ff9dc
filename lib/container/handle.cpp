// Container: the handle. Its verbs in terms of the state behind it.

#include <array>
#include <string_view>

#include <signal.h>

#include "sock/container.hpp"

#include "base/try.hpp"
#include "container/checked_spec.hpp"
#include "container/container_impl.hpp"
#include "sys/process.hpp"

namespace sock {

std::string_view to_string(Origin origin) noexcept {
  constexpr std::array<std::string_view, 4> names{"created", "forked", "spare", "restored"};
  return names[static_cast<std::size_t>(origin)];
}

namespace {

using std::chrono::steady_clock;

constexpr auto pause_deadline = std::chrono::seconds{1};

}  // namespace

Container::Container(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
Container::Container(Container&&) noexcept = default;
Container& Container::operator=(Container&&) noexcept = default;
Container::~Container() = default;

const std::string& Container::name() const noexcept {
  static const std::string none;
  return impl_ ? impl_->name : none;
}
FdRef Container::pidfd() const noexcept {
  return impl_ ? impl_->launched.pidfd.ref() : FdRef{};
}
pid_t Container::pid() const noexcept {
  return impl_ ? impl_->launched.pid : -1;
}
FdRef Container::terminal() const noexcept {
  return impl_ ? impl_->launched.terminal.ref() : FdRef{};
}
Origin Container::origin() const noexcept {
  return impl_ ? impl_->launched.origin : Origin::created;
}
std::span<const StageTiming> Container::timings() const noexcept {
  if (!impl_) return {};
  return impl_->launched.timings;
}

Result<ExitStatus> Container::wait() {
  SOCK_TRY(container::require(impl_));
  const auto status = SOCK_TRY(impl_->wait_until(steady_clock::time_point::max()));
  return *status;
}

Result<std::optional<ExitStatus>> Container::wait_until(steady_clock::time_point deadline) {
  SOCK_TRY(container::require(impl_));
  return impl_->wait_until(deadline);
}

Result<> Container::pause() {
  SOCK_TRY(container::require(impl_));
  const std::scoped_lock lock{impl_->freezing_};
  SOCK_TRY(impl_->launched.cgroup.freeze(steady_clock::now() + pause_deadline));
  impl_->paused_ = true;
  return {};
}

Result<> Container::resume() {
  SOCK_TRY(container::require(impl_));
  const std::scoped_lock lock{impl_->freezing_};
  SOCK_TRY(impl_->launched.cgroup.thaw());
  impl_->paused_ = false;
  return {};
}

Result<> Container::signal(int number) {
  SOCK_TRY(container::require(impl_));
  if (number == SIGKILL) return kill();
  const bool has_init = impl_->spec.init != Init::none;
  if (has_init && number == SIGSTOP)
    return base::refuse(Errc::invalid_spec, Stage::kill, "SIGSTOP",
                        "an init cannot forward it; use pause()");
  return base::in_stage(Stage::kill, sys::send_signal(impl_->launched.pidfd, number));
}

Result<> Container::kill() {
  SOCK_TRY(container::require(impl_));
  return impl_->kill();
}

Result<Stats> Container::stats() const {
  SOCK_TRY(container::require(impl_));
  return impl_->launched.cgroup.stats();
}

Result<> Container::update(const Resources& resources) {
  SOCK_TRY(container::require(impl_));
  SOCK_TRY(container::check(resources));
  SOCK_TRY(impl_->launched.cgroup.limit(resources));
  impl_->resources = resources;
  return {};
}

Result<Process> Container::exec(const ExecSpec& spec) {
  SOCK_TRY(container::require(impl_));
  // A process that is born frozen never comes to its execve, and its maker waits for that.
  const std::scoped_lock lock{impl_->freezing_};
  if (impl_->paused_)
    return base::refuse(Errc::exhausted, Stage::pause, impl_->name,
                        "it is paused; resume it first");
  auto process = std::make_unique<Process::Impl>();
  process->member = SOCK_TRY(container::start_process(*impl_, spec));
  return Process{std::move(process)};
}

}  // namespace sock
