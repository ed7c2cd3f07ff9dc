// Sending to, and believing nothing of, the other end.

#include "zygote/peer.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "sys/message.hpp"
#include "sys/process.hpp"

namespace sock::zygote {
namespace {

std::unexpected<Error> malformed() {
  return base::refuse(Errc::corrupt, Stage::none, "zygote", "it sent a malformed message");
}

/// The reason as an Error: its first line is the subject.
Error told(wire::Reader reader) {
  Error error{.code = Errc::launch_failed, .subject = "zygote"};
  while (const auto field = reader.next()) {
    if (field->field == wire::Field::reason)
      error.subject = std::string{field->text().substr(0, field->text().find('\n'))};
    if (field->field == wire::Field::sys_errno)
      error.sys_errno = static_cast<int>(field->as<std::uint32_t>().value_or(0) & 0xfffU);
  }
  return error;
}

}  // namespace

Result<Peer::Ends> Peer::make() {
  sys::SocketPair pair = SOCK_TRY(sys::make_message_pair());
  SOCK_TRY(sys::name_senders(pair.here));
  SOCK_TRY(sys::refuse_descriptors(pair.here));
  return Ends{.here = Peer{std::move(pair.here)}, .there = std::move(pair.there)};
}

Result<> Peer::send(std::span<const std::byte> message, std::span<const FdRef> files) const {
  if (message.empty())
    return base::refuse(Errc::invalid_spec, Stage::none, "argv and env",
                        "longer than a message to a zygote may be (128 KiB)");
  if (files.size() > wire::most_descriptors)
    return base::refuse(Errc::invalid_spec, Stage::none, "descriptors",
                        "more than a message to a zygote may have (64)");
  return sys::send_message(socket_, message, files);
}

Result<Peer::Received> Peer::receive(Deadline deadline, std::size_t most) const {
  if (!SOCK_TRY(sys::wait_readable(socket_, deadline)))
    return base::refuse(Errc::timed_out, Stage::none, "zygote", "it did not answer in time");
  Received received;
  received.bytes.resize(most);
  sys::Message message = SOCK_TRY(sys::receive_message(socket_, received.bytes));
  if (message.truncated) return malformed();
  received.bytes.resize(message.size);
  received.sender = std::move(message.sender);
  return received;
}

Result<Peer::Received> Peer::expect(wire::Kind kind, Deadline deadline, std::size_t most) const {
  Received received = SOCK_TRY(receive(deadline, most));
  auto reader = wire::Reader::open(received.bytes);
  if (!reader) return malformed();
  if (reader->kind() == wire::Kind::failed) return std::unexpected(told(*reader));
  if (reader->kind() != kind) return malformed();
  return received;
}

}  // namespace sock::zygote
