#pragma once

// Takes calls, finds or makes an instance for each, and keeps what may be used again: paused, the
// last used first, within a memory budget. What is promised to instances is never more than the
// budget. Whoever cannot be served at once waits in one queue, which is bounded.

#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "call.hpp"
#include "instance.hpp"
#include "starter.hpp"

namespace sockd {

struct DispatchLimits {
  std::uint64_t memory;              ///< Bytes of all instances together.
  std::size_t queue = 1000;          ///< Calls that wait, of all functions.
  std::size_t function_queue = 100;  ///< And of one.
  std::chrono::milliseconds queue_time{10'000};
  std::chrono::milliseconds idle_time{600'000};  ///< Then an instance that nobody calls is ended.
};

/// One version of a function, as people see it.
struct FunctionState {
  DeployedPtr deployed;
  std::size_t instances;
  std::size_t idle;
  std::size_t waiting;
};

/// Thread-bound, to the loop; only what blocks runs in the workers.
class Dispatcher {
 public:
  using Clock = std::chrono::steady_clock;
  /// Told of every call that has ended, and how long it took.
  using Observer =
      std::function<void(const CallRequest&, const Outcome&, std::chrono::nanoseconds)>;
  /// Told of a version that no instance runs any more and that is not served.
  using Retired = std::function<void(const StoredFunction&)>;

  Dispatcher(boost::asio::io_context& loop, boost::asio::thread_pool& workers, Starter& starter,
             DispatchLimits limits, Observer observer, Retired retired);

  /// It must not outlive the dispatcher.
  boost::asio::awaitable<Outcome> call(CallRequest request);
  /// Serves this version of a function from now on; instances of the one before end when they are
  /// done.
  void serve(DeployedPtr deployed);
  void withdraw(const std::string& name);
  /// Ends when no instance is left. Calls that run may end by themselves until the deadline; new
  /// ones, and those that wait, are refused.
  boost::asio::awaitable<void> close(Clock::time_point deadline);

  [[nodiscard]] std::vector<FunctionState> functions() const;  ///< Those that are served, by name.
  [[nodiscard]] std::uint64_t memory_promised() const noexcept { return promised_; }
  [[nodiscard]] std::uint64_t memory_max() const noexcept { return limits_.memory; }

 private:
  struct Idle {
    std::unique_ptr<Instance> instance;
    Clock::time_point since;
    bool is_paused;
  };
  struct Function {
    DeployedPtr deployed;
    std::deque<Idle> idle = {};  ///< The last used at the end.
    std::size_t instances = 0;   ///< Whatever they do.
    std::size_t pausing = 0;     ///< Of these.
    std::size_t waiting = 0;
    std::size_t claimed = 0;  ///< Of `pausing`, while waiters are served.
    bool is_served = true;
  };
  using FunctionPtr = std::shared_ptr<Function>;
  struct Waiter {
    FunctionPtr function;
    boost::asio::steady_timer timer;
    enum class Grant : std::uint8_t { none, idle, start } grant = Grant::none;
    std::optional<Idle> idle = {};
  };

  boost::asio::awaitable<Outcome> dispatch(const CallRequest& request);
  boost::asio::awaitable<std::optional<Outcome>> wait_for_turn(Waiter& waiter);
  boost::asio::awaitable<std::unique_ptr<Instance>> take_up(Waiter& waiter, Outcome& outcome);
  boost::asio::awaitable<void> finish(FunctionPtr function, std::unique_ptr<Instance> instance,
                                      Reply reply, Outcome& outcome);
  boost::asio::awaitable<void> park(FunctionPtr function, std::unique_ptr<Instance> instance);
  boost::asio::awaitable<void> end(FunctionPtr function, std::unique_ptr<Instance> instance);
  boost::asio::awaitable<void> end_idle_ones();

  void release(const FunctionPtr& function, std::unique_ptr<Instance> instance);
  void dispose(const FunctionPtr& function, std::unique_ptr<Instance> instance);
  void retire(const FunctionPtr& function);
  void retire_if_done(const Function& function);
  void leave_queue(Waiter& waiter);
  void forget_instance(const FunctionPtr& function);
  void serve_waiters();
  bool grant(Waiter& waiter);
  bool has_memory(std::uint64_t bytes);
  void evict_one();

  boost::asio::io_context& loop_;
  boost::asio::thread_pool& workers_;
  Starter& starter_;
  DispatchLimits limits_;
  Observer observer_;
  Retired retired_;
  std::map<std::string, FunctionPtr> functions_;
  std::list<Waiter*> waiters_;
  boost::asio::steady_timer sweep_;
  boost::asio::steady_timer changed_;  ///< Cancelled when an instance has ended.
  std::uint64_t promised_ = 0;         ///< Bytes of instances, whatever they do.
  std::uint64_t leaving_ = 0;          ///< Of these, what is being ended for others.
  std::size_t instances_ = 0;
  bool is_closing_ = false;
};

}  // namespace sockd
