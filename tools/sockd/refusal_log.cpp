// Nothing of a request makes a line of its own, or a long one.

#include "refusal_log.hpp"

#include <utility>

#include <fmt/format.h>

#include "sock/result.hpp"

namespace sockd {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t most_a_second = 10;
constexpr std::size_t most_bytes = 200;

std::string shortened(std::string_view text) {
  const bool is_long = text.size() > most_bytes;
  return sock::printable(text.substr(0, most_bytes)) + (is_long ? "..." : "");
}

}  // namespace

std::string RefusalLog::rest(Clock::time_point now) {
  if (now - since_ < 1s) return "";
  since_ = now;
  told_ = 0;
  if (left_out_ == 0) return "";
  return fmt::format("sockd: {} more requests were refused\n", std::exchange(left_out_, 0));
}

std::string RefusalLog::note(const Refusal& refusal, Clock::time_point now) {
  std::string text = rest(now);
  if (told_ >= most_a_second) {
    ++left_out_;
    return text;
  }
  ++told_;
  const auto line = refusal.why.substr(0, refusal.why.find('\n'));
  const std::string request = shortened(refusal.request);
  text += fmt::format("sockd: refused with {}: {}: {}\n", refusal.status,
                      request.empty() ? "no request" : request, shortened(line));
  return text;
}

}  // namespace sockd
