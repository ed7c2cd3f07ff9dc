// One message, whose descriptors are all groups.

#include "server/spare.hpp"

#include <poll.h>
#include <unistd.h>

#include "server/channel.hpp"
#include "wire/message.hpp"

namespace sock::zygote {

bool is_abandoned(int channel) noexcept {
  // Its messages are no news.
  pollfd waiting{.fd = channel, .events = 0, .revents = 0};
  return ::poll(&waiting, 1, 0) != 0;
}

bool join_waiting_groups(int channel) noexcept {
  Inbox inbox;
  if (inbox.receive(channel) != Inbox::Outcome::message) return false;
  const auto reader = wire::Reader::open(inbox.bytes());
  if (!reader || reader->kind() != wire::Kind::wait) return false;
  for (std::size_t i = 0; i < inbox.descriptor_count(); ++i)
    if (::write(inbox.descriptor(i), "0", 1) != 1) return false;
  return true;
}

}  // namespace sock::zygote
