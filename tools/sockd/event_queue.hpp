#pragma once

// Takes events that nobody waits for, and delivers them: at least once, or, when a function has
// failed too often, into its dead letters.

#include <deque>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "dispatcher.hpp"
#include "event.hpp"
#include "event_store.hpp"
#include "instance_pool.hpp"

namespace sockd {

struct EventLimits {
  /// Events, of all functions together; three quarters of them of any one.
  std::size_t waiting = 100'000;
  std::uint64_t bytes = 1ULL << 30U;  ///< Of their texts, as well.
  std::size_t at_once = 32;           ///< Calls under way, of all functions together.
};

inline constexpr std::size_t most_event = 256U << 10U;  ///< Bytes of one, as AWS Lambda has it.

struct EventsOfFunction {
  std::size_t waiting;
  std::size_t under_way;
};

/// Thread-bound, to the loop.
class EventQueue {
 public:
  using Observer = std::function<void(const std::string& function, EventFate fate)>;

  /// All of them outlive it; the store is touched by a thread of its own.
  EventQueue(boost::asio::io_context& loop, EventStore store, Dispatcher& dispatcher,
             const InstancePool& pool, EventLimits limits, Observer observer);

  /// Takes up what waited when the daemon ended, and delivers from now on. Blocking.
  Result<> start();
  /// At the return the event is on the disk. On failure: Errc::exhausted when too many wait or the
  /// disk is full, Errc::invalid_spec for what is no JSON or too long.
  boost::asio::awaitable<Result<>> accept(std::string function, std::string source,
                                          std::string text, std::string id);
  /// Nothing is delivered any more, and nothing accepted; what waits is delivered after the next
  /// start.
  void close();
  /// Ends when all calls under way are accounted for, or at the deadline. After close().
  boost::asio::awaitable<void> settle(std::chrono::steady_clock::time_point deadline);

  /// Those that have any.
  [[nodiscard]] std::vector<std::string> functions() const;
  [[nodiscard]] EventsOfFunction events_of(const std::string& function) const;
  [[nodiscard]] std::size_t waiting() const noexcept { return all_.events; }
  boost::asio::awaitable<Result<std::vector<DeadLetter>>> dead_letters(std::string function,
                                                                       std::size_t most);
  /// Delivers a function's dead letters after all. Gives how many there were.
  boost::asio::awaitable<Result<std::size_t>> revive(std::string function);
  boost::asio::awaitable<Result<>> forget_dead(std::string function);
  /// The function is gone: all that waits for it becomes dead letters.
  boost::asio::awaitable<void> withdraw(std::string function);

 private:
  struct Waiting {
    Event event;                 ///< Without its text.
    unsigned refusals = 0;       ///< Attempts that the function has not seen, since the last start.
    std::uint64_t removals = 0;  ///< Of its function, when it was called.
  };
  /// Of a function.
  struct Queue {
    std::multimap<EventTime, Waiting> waiting = {};  ///< By when they are due.
    std::size_t under_way = 0;
    std::uint64_t removals = 0;  ///< While any of them was under way.
  };
  /// Of a function, waiting or under way.
  struct Held {
    std::size_t events = 0;
    std::uint64_t bytes = 0;
  };
  struct Arrival {
    Event event;
    boost::asio::steady_timer stored;
    Result<> result = {};
    bool is_stored = false;
  };

  void add(Waiting waiting);
  /// A dead letter, if its function is not there any more.
  boost::asio::awaitable<void> add_unless_removed(Event event);
  /// Whether there is a place for one more.
  [[nodiscard]] bool has_room(const std::string& function, std::uint64_t size) const;
  void enter(const Event& event);
  boost::asio::awaitable<void> deliver_all();
  /// Starts what is due and may be called; gives when the next one is due.
  EventTime deliver_due();
  boost::asio::awaitable<void> deliver(std::string function, Waiting waiting);
  boost::asio::awaitable<void> conclude(Waiting waiting, const Outcome& outcome);
  boost::asio::awaitable<bool> bury(const Event& event, const Outcome& outcome);
  boost::asio::awaitable<void> store_arrivals();
  [[nodiscard]] std::size_t most_under_way(const std::string& function) const;
  [[nodiscard]] RetryPolicy policy_of(const std::string& function) const;
  void leave(const Event& event);

  boost::asio::io_context& loop_;
  EventStore store_;
  Dispatcher& dispatcher_;
  const InstancePool& pool_;
  EventLimits limits_;
  Observer observer_;
  std::map<std::string, Queue> queues_ = {};
  std::deque<Arrival*> arrivals_ = {};
  boost::asio::steady_timer changed_;  ///< Cancelled whenever something may be delivered.
  std::minstd_rand chance_;
  Held all_ = {};
  std::map<std::string, Held> held_ = {};  ///< Of those that have any.
  std::size_t under_way_ = 0;
  std::string last_ = {};  ///< The function that was served last.
  bool is_storing_ = false;
  bool is_closing_ = false;
  boost::asio::thread_pool thread_{1};  ///< The only one that touches the store; ends first.
};

}  // namespace sockd
