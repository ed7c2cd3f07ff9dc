// The double of libsock: a Host whose containers are entries in the books of the test. What is
// defined here is not looked for in the library.

#include <algorithm>

#include <sys/eventfd.h>

#include "sock/host.hpp"

#include "machine.hpp"

namespace sock {

using sockd::doubles::Machine;

struct Container::Impl {
  Impl(std::string own_name, std::uint64_t memory)
      : name{std::move(own_name)}, whole{memory}, end{::eventfd(0, EFD_CLOEXEC)} {
    Machine::current().started(name, memory);
  }
  ~Impl() { kill(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  void kill() {
    if (!std::exchange(is_killed, true)) Machine::current().ended(name);
  }

  std::string name;
  std::uint64_t whole;
  UniqueFd end;  ///< As a pidfd: never readable, for nobody dies by himself here.
  bool is_paused = false;
  bool is_killed = false;
};

struct Host::Impl {};

Host::Host(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
Host::Host(Host&&) noexcept = default;
Host::~Host() = default;

Result<Host> Host::open(const HostOptions& /*options*/) {
  return Host{std::make_unique<Impl>()};
}

Result<Container> Host::create(const ContainerSpec& spec) {
  return Container{std::make_unique<Container::Impl>(spec.name, spec.resources.memory_max.value())};
}

Container::Container(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
Container::Container(Container&&) noexcept = default;
Container& Container::operator=(Container&&) noexcept = default;
Container::~Container() = default;

const std::string& Container::name() const noexcept {
  return impl_->name;
}
FdRef Container::pidfd() const noexcept {
  return impl_->end.ref();
}
std::span<const StageTiming> Container::timings() const noexcept {
  return {};
}
Result<std::optional<ExitStatus>> Container::wait_until(
    std::chrono::steady_clock::time_point /*deadline*/) {
  return ExitStatus{.kind = ExitStatus::Kind::exited, .value = 3};
}
Result<> Container::pause() {
  impl_->is_paused = true;
  return {};
}
Result<> Container::resume() {
  impl_->is_paused = false;
  return {};
}
Result<> Container::kill() {
  impl_->kill();
  return {};
}
Result<Stats> Container::stats() const {
  return Stats{.memory_current = std::min(Machine::current().used(), impl_->whole)};
}
Result<> Container::update(const Resources& resources) {
  Machine::current().limited(impl_->name, resources.memory_max.value());
  return {};
}

}  // namespace sock
