// What a zygote and its children read: requests, and the message that tells a child what to become.
// Input: how many descriptors come along, then the message.

#include <memory>
#include <vector>

#include <unistd.h>

#include "input.hpp"
#include "server/request.hpp"
#include "server/work.hpp"
#include "sys/message.hpp"

namespace sock::fuzz {
namespace {

void use_request(zygote::Inbox& inbox) {
  const auto request = zygote::read_request(inbox);
  if (!request) return;
  if (request->channel >= 0) ::close(request->channel);
  std::size_t bytes = 0;
  const auto count = [&](std::string_view text) { bytes += text.size() + 1; };
  wire::for_each_string(request->modules, count);
  wire::for_each_string(request->paths, count);
  expect(bytes <= inbox.bytes().size(), "strings lie in the message");
}

void read_message(Input& input) {
  static const sys::SocketPair pair = sys::make_message_pair().value();
  const std::vector<FdRef> files(input.choice(wire::most_descriptors + 2), FdRef{0});
  const int before = next_descriptor();
  if (input.empty() || !sys::send_message(pair.here, input.bytes(), files)) return;
  {
    zygote::Inbox inbox;
    const auto outcome = inbox.receive(pair.there.get());
    expect(outcome != zygote::Inbox::Outcome::end, "a message is not the end");
    expect(inbox.descriptor_count() <= wire::most_descriptors, "descriptors have their bound");
    const auto work = std::make_unique<zygote::Work>();
    if (work->read(inbox)) {
      std::size_t bytes = 0;
      const auto count = [&](std::string_view text) { bytes += text.size() + 1; };
      wire::for_each_string(work->argv(), count);
      wire::for_each_string(work->env(), count);
      expect(bytes <= inbox.bytes().size(), "strings lie in the message");
    }
    use_request(inbox);
  }
  expect(next_descriptor() == before, "no descriptor is left open");
}

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sock::fuzz::Input input{data, size};
  sock::fuzz::read_message(input);
  return 0;
}
