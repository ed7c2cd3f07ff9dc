// A timer for each, cancelled when there is something.

#include "log_followers.hpp"

#include <charconv>
#include <random>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace sockd {
namespace {

namespace asio = boost::asio;

}  // namespace

LogFollowers::LogFollowers(asio::io_context& loop)
    : loop_{loop}, run_{fmt::format("{:08x}", std::random_device{}())} {}

void LogFollowers::notify(const std::string& function) {
  ++written_[function];
  const auto [first, last] = waiting_.equal_range(function);
  for (auto at = first; at != last; ++at) at->second->cancel();
}

std::uint64_t LogFollowers::written(const std::string& function) const {
  const auto found = written_.find(function);
  return found != written_.end() ? found->second : 0;
}

std::string LogFollowers::position(const std::string& function) const {
  return fmt::format("{}-{}", run_, written(function));
}

asio::awaitable<std::uint64_t> LogFollowers::wait(std::string function, std::string after,
                                                  std::chrono::milliseconds time) {
  std::uint64_t seen = 0;
  if (after.starts_with(run_ + "-"))
    std::from_chars(after.data() + run_.size() + 1, after.data() + after.size(), seen);
  if (written(function) <= seen && !is_closed_) {
    asio::steady_timer timer{loop_, time};
    const auto place = waiting_.emplace(function, &timer);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    waiting_.erase(place);
  }
  const std::uint64_t now = written(function);
  co_return now > seen ? now - seen : 0;
}

void LogFollowers::close() {
  is_closed_ = true;
  for (const auto& [function, timer] : waiting_) timer->cancel();
}

}  // namespace sockd
