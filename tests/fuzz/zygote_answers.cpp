// What a hostile zygote, or a child of one, may send to the Host: answers and reports.
// Input: what the Host waits for, then the message.

#include <array>
#include <chrono>
#include <cstdint>

#include "input.hpp"
#include "sys/message.hpp"
#include "zygote/peer.hpp"
#include "zygote/report.hpp"

namespace sock::fuzz {
namespace {

using zygote::Peer;

void receive(Input& input, wire::Kind awaited) {
  static const Peer::Ends ends = Peer::make().value();
  if (input.empty() || !sys::send_message(ends.there, input.bytes(), {})) return;
  const auto soon = std::chrono::steady_clock::now() + std::chrono::seconds{1};
  const auto received = ends.here.expect(awaited, soon);
  if (!received) {
    expect(received.error().sys_errno >= 0 && received.error().sys_errno < 4096, "an errno is one");
    return;
  }
  auto reader = wire::Reader::open(received->bytes);
  expect(reader && reader->kind() == awaited, "what is taken is what was awaited");
  while (const auto field = reader->next())
    expect(field->bytes.size() <= received->bytes.size(), "a field lies in its message");
}

void report(Input& input) {
  constexpr std::int64_t now = std::int64_t{1} << 50U;
  const auto report = zygote::decode_report(input.bytes(), now);
  if (!report) return;
  std::int64_t sum = now - report->last_mark;
  for (const std::int64_t elapsed : report->elapsed) sum += elapsed;
  expect(sum >= 0, "times are from the past");
}

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sock::wire::Kind;
  sock::fuzz::Input input{data, size};
  constexpr std::array awaited{Kind::hello, Kind::loaded, Kind::failed};
  const std::size_t what = input.choice(awaited.size() + 1);
  if (what < awaited.size())
    sock::fuzz::receive(input, awaited[what]);
  else
    sock::fuzz::report(input);
  return 0;
}
