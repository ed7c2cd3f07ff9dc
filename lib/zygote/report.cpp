// Checking a report before its bytes become values.

#include "zygote/report.hpp"

#include <algorithm>
#include <cstring>

#include "base/try.hpp"

namespace sock::zygote {
namespace {

std::unexpected<Error> refused(std::string why) {
  return base::refuse(Errc::corrupt, Stage::none, "zygote", std::move(why));
}

bool is_possible(const child::Report& report, std::int64_t now) {
  const auto is_past = [now](std::int64_t time) { return time >= 0 && time <= now; };
  return static_cast<std::size_t>(report.failed) < child::stage_count &&
         (report.failed == Stage::none) == report.executing && is_past(report.last_mark) &&
         std::ranges::all_of(report.elapsed, is_past);
}

}  // namespace

Result<child::Report> decode_report(std::span<const std::byte> message, std::int64_t now) {
  child::Report report{};
  if (message.size() != sizeof report) return refused("its child sent a malformed report");
  // Before it becomes a bool, which has no third value.
  if (message[offsetof(child::Report, executing)] > std::byte{1})
    return refused("its child sent a wrong report");
  std::memcpy(&report, message.data(), sizeof report);
  if (!is_possible(report, now)) return refused("its child sent a wrong report");
  return report;
}

}  // namespace sock::zygote
