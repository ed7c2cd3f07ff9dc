// A domain for each: what one function's object does while it is loaded is no other's concern.

#include "native_zygote.hpp"

#include <fmt/format.h>

#include "readable.hpp"

namespace sockd {
namespace {

using sock::Errc;
using sock::Stage;

constexpr std::chrono::seconds load_time{10};
constexpr std::chrono::seconds rest_time{10};

/// Whatever it did instead of being loaded, it is the object that is refused.
sock::Error of_object(sock::Error error, const std::string& object) {
  const bool has_ended = error.code == Errc::closed;
  if (has_ended || error.code == Errc::timed_out) {
    error.subject = object;
    error.hint = has_ended ? "the process that loaded it has ended" : "it was still being loaded";
  }
  error.code = Errc::invalid_spec;
  return error;
}

}  // namespace

/// The zygote ends before its domain.
struct NativeZygote::Home {
  sock::ZygoteDomain domain;
  sock::Zygote zygote;

  [[nodiscard]] bool is_alive() const { return !is_readable(zygote.pidfd()); }
};

Result<std::shared_ptr<NativeZygote>> NativeZygote::open(sock::Host& host, NativeZygoteSpec spec) {
  std::shared_ptr<NativeZygote> opened{new NativeZygote{host, std::move(spec)}};
  SOCKCTL_TRY(opened->home());
  return opened;
}

Result<NativeZygote::HomePtr> NativeZygote::home() {
  const std::scoped_lock lock{mutex_};
  if (home_ && home_->is_alive()) return home_;
  if (Clock::now() < rests_until_)
    return sockctl::refuse(Errc::exhausted, Stage::fork, spec_.object,
                           "its zygote has just hung or failed; it is started again in a while");
  auto started = start();
  if (!started.has_value()) {
    rests_until_ = Clock::now() + rest_time;
    return started;
  }
  return home_ = std::move(*started);
}

Result<NativeZygote::HomePtr> NativeZygote::start() {
  auto domain = SOCKCTL_TRY(host_->open_domain({.name = fmt::format("{}-{}", spec_.name, opened_++),
                                                .rootfs = spec_.rootfs,
                                                .runtime = sock::Runtime::native,
                                                .interpreter = {},
                                                .resources = {.memory_max = spec_.memory_max}}));
  auto bare = SOCKCTL_TRY(domain.start_zygote());
  auto zygote = bare.grow({.modules = {spec_.object}, .deadline = load_time});
  if (!zygote.has_value()) return std::unexpected(of_object(zygote.error(), spec_.object));
  SOCKCTL_TRY(zygote->keep_spares(spec_.spares));
  return std::make_shared<Home>(std::move(domain), std::move(*zygote));
}

Result<NativeZygote::Forked> NativeZygote::fork(const sock::ContainerSpec& spec) {
  auto from = SOCKCTL_TRY(home());
  auto container = from->zygote.fork(spec);
  const bool has_hung = !container.has_value() && container.error().code == Errc::timed_out;
  if (has_hung) give_up(from);
  if (!container.has_value() && !has_hung && !from->is_alive()) {
    from = SOCKCTL_TRY(home());
    container = from->zygote.fork(spec);
  }
  if (!container.has_value()) return std::unexpected(container.error());
  return Forked{.home = from, .container = std::move(*container)};
}

// Whoever else waits for it is told at once that it has ended. Its containers stay.
void NativeZygote::give_up(const HomePtr& hung) {
  {
    const std::scoped_lock lock{mutex_};
    if (home_ != hung) return;
    home_.reset();
    rests_until_ = Clock::now() + rest_time;
  }
  (void)hung->zygote.kill().has_value();
}

}  // namespace sockd
