#pragma once

// Whoever waits for the next line of a function's log.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace sockd {

/// Thread-bound, to the loop. Positions are numbers of lines since the daemon has started; as texts
/// they are good for this run of it alone.
class LogFollowers {
 public:
  explicit LogFollowers(boost::asio::io_context& loop);

  /// A line was written.
  void notify(const std::string& function);
  [[nodiscard]] std::string position(const std::string& function) const;
  /// Waits until there are lines after a position, or for the time; gives how many there are. All
  /// of this run's after a position of another one.
  boost::asio::awaitable<std::uint64_t> wait(std::string function, std::string after,
                                             std::chrono::milliseconds time);
  /// Nobody waits any more.
  void close();

 private:
  [[nodiscard]] std::uint64_t written(const std::string& function) const;

  boost::asio::io_context& loop_;
  std::string run_;
  bool is_closed_ = false;
  std::map<std::string, std::uint64_t> written_ = {};
  std::multimap<std::string, boost::asio::steady_timer*> waiting_ = {};
};

}  // namespace sockd
