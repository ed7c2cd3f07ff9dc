// Who it is, is what the kernel says.

#include "zygote/child.hpp"

#include <utility>

#include <signal.h>

#include "base/try.hpp"
#include "sys/clock.hpp"
#include "sys/process.hpp"
#include "zygote/zygote_impl.hpp"

namespace sock::zygote {

Child::~Child() {
  if (!pidfd_) return;
  constexpr auto patience = std::chrono::seconds{1};
  if (sys::send_signal(pidfd_, SIGKILL))
    static_cast<void>(sys::wait_readable(pidfd_, sys::deadline_in(patience)).has_value());
}

Child& Child::operator=(Child&& other) noexcept {
  Child taken{std::move(other)};  // and what was held ends now
  std::swap(channel_, taken.channel_);
  std::swap(pid_namespace_, taken.pid_namespace_);
  std::swap(pidfd_, taken.pidfd_);
  return *this;
}

Result<> Child::meet(std::uint64_t domain, Deadline deadline) {
  UniqueFd sender = std::move(SOCK_TRY(channel_.expect(wire::Kind::hello, deadline)).sender);
  if (!sender) return base::refuse(Errc::closed, Stage::none, "zygote", "its child has gone");
  pid_namespace_ = SOCK_TRY(sys::pid_namespace_of(sender));
  if (SOCK_TRY(identity_of(pid_namespace_)) == domain)
    return base::refuse(Errc::corrupt, Stage::none, "zygote",
                        "its child is in no pid namespace of its own");
  pidfd_ = std::move(sender);
  return {};
}

bool Child::is_up() const {
  return sys::wait_readable(channel_.socket(), std::chrono::steady_clock::now()).value_or(true);
}

}  // namespace sock::zygote
