#pragma once

// What the doubles share with a test: which containers "run", what they may have, and how payloads
// behave. Of each test there is one, which the doubles find by themselves.

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace sockd::doubles {

/// Thread-safe, but for what is said to be the loop's.
class Machine {
 public:
  explicit Machine(boost::asio::io_context& loop);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  static Machine& current();

  // The containers' own.
  void started(const std::string& container, std::uint64_t memory);
  void limited(const std::string& container, std::uint64_t memory);
  void ended(const std::string& container);

  // The test's.
  void refuse(const std::string& function);  ///< No container of it can be started from now on.
  [[nodiscard]] bool refuses(const std::string& function) const;
  /// What each paused container has, at most its limit. At first all that it may have.
  void set_used(std::uint64_t bytes);
  [[nodiscard]] std::uint64_t used() const;
  [[nodiscard]] std::vector<std::string> running() const;  ///< By name.
  [[nodiscard]] std::vector<std::string> ends() const;     ///< In the order of their ends.
  [[nodiscard]] std::uint64_t memory(const std::string& container) const;
  [[nodiscard]] std::uint64_t most_memory() const;  ///< Of all limits together, at any time.

  /// Payloads that are called with "wait" answer when it is opened. The loop's.
  boost::asio::steady_timer gate;
  bool is_open = false;
  void open_gate();
  std::size_t calls = 0;    ///< That payloads have begun.
  std::size_t at_once = 0;  ///< And not answered.
  std::size_t most_at_once = 0;

 private:
  mutable std::mutex mutex_;  ///< Guards what follows.
  std::map<std::string, std::uint64_t> limits_ = {};
  std::vector<std::string> ends_ = {};
  std::set<std::string> refused_ = {};
  std::uint64_t used_ = UINT64_MAX;
  std::uint64_t memory_ = 0;
  std::uint64_t most_memory_ = 0;
};

}  // namespace sockd::doubles
