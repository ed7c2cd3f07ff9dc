// Two messages: who it is, and how it goes on.

#include "zygote/parked.hpp"

#include <signal.h>

#include "base/try.hpp"
#include "sys/process.hpp"
#include "wire/message.hpp"
#include "zygote/zygote_impl.hpp"

namespace sock::zygote {

Result<Parked> Parked::of(Zygote::Impl& zygote, Deadline deadline) {
  auto channel = SOCK_TRY(base::in_stage(Stage::fork, zygote.request_parked()));
  Parked parked{std::move(channel)};
  SOCK_TRY(base::in_stage(Stage::fork, parked.await(zygote, deadline)));
  return parked;
}

Parked::~Parked() {
  if (!pidfd_) return;
  constexpr auto patience = std::chrono::seconds{1};
  if (sys::send_signal(pidfd_, SIGKILL))
    static_cast<void>(sys::wait_readable(pidfd_, sys::deadline_in(patience)).has_value());
}

Result<> Parked::await(const Zygote::Impl& zygote, Deadline deadline) {
  const auto refuse = [](std::string hint) {
    return base::refuse(Errc::corrupt, Stage::none, "zygote", std::move(hint));
  };
  UniqueFd sender = std::move(SOCK_TRY(channel_.expect(wire::Kind::hello, deadline)).sender);
  if (!sender) return base::refuse(Errc::closed, Stage::none, "zygote", "its child has gone");
  // A container's memory is not for a snapshot of a zygote.
  const auto is_zygote = require_zygote(sender, zygote.home);
  if (is_zygote) pidfd_ = std::move(sender);
  // Also from one that is none: who has failed and gone by now has left the reason.
  const auto parked = SOCK_TRY(channel_.expect(wire::Kind::parked, deadline, wire::most_bytes));
  SOCK_TRY(is_zygote);
  auto reader = wire::Reader::open(parked.bytes);
  bool has_resumption = false;
  while (const auto field = reader->next()) {
    if (field->field == wire::Field::files) files_ = std::string{field->text()};
    if (field->field != wire::Field::resumption) continue;
    const auto resumption = field->as<wire::image::Resumption>();
    has_resumption = resumption.has_value();
    resumption_ = resumption.value_or(wire::image::Resumption{});
  }
  return has_resumption && reader->complete() ? Result<>{} : refuse("it sent a malformed message");
}

}  // namespace sock::zygote
