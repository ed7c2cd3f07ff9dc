#pragma once

// The instances of all functions: those at work, those that are paused until they are used again,
// and whoever waits for one. What is promised to instances is never more than the memory budget;
// the queue is bounded.

#include <chrono>
#include <deque>
#include <expected>
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

struct PoolLimits {
  std::uint64_t memory;              ///< Bytes of all instances together.
  std::size_t queue = 1000;          ///< Calls that wait, of all functions.
  std::size_t function_queue = 100;  ///< And of one.
  std::chrono::milliseconds queue_time{10'000};
  std::chrono::milliseconds idle_time{600'000};  ///< Then an instance that nobody calls is ended.
};

/// One version of a function, as people see it.
struct FunctionState {
  DeployedPtr deployed;
  std::string home;  ///< Whose its instances are: its own name, or that of a sandbox.
  std::size_t instances;
  std::size_t idle;
  std::size_t paused;  ///< Of the idle ones: all but those that have just answered.
  std::size_t waiting;
};

/// Thread-bound, to the loop; only what blocks runs in the workers.
class InstancePool {
 public:
  using Clock = std::chrono::steady_clock;
  /// Told of a version that no instance runs any more and that is not served.
  using Retired = std::function<void(const StoredFunction&)>;
  struct Idle {
    std::unique_ptr<Instance> instance;
    Clock::time_point since;
    bool is_paused;
    std::uint64_t memory;  ///< Bytes promised to it: while it rests, little more than it has.
    bool is_lowered = false;
  };
  /// A version of a function and its instances; the pool's own, but for `deployed`.
  struct Function {
    DeployedPtr deployed;
    std::deque<Idle> idle = {};  ///< The last used at the end.
    std::size_t instances = 0;   ///< Whatever they do.
    std::size_t starting = 0;    ///< Of these, those that are not there yet.
    std::size_t worked_on = 0;   ///< Of these, those that are being paused or lowered.
    std::size_t waiting = 0;     ///< For one of these.
    std::size_t queued = 0;      ///< Of its own calls, those that wait, for whosever instance.
    std::size_t claimed = 0;     ///< Of `worked_on`, while waiters are served.
    bool is_served = true;
    /// Of a sandbox that an application's functions share: these, whose code it has.
    std::vector<std::shared_ptr<Function>> members = {};
    std::size_t sandboxes = 0;  ///< That have its code.
  };
  using FunctionPtr = std::shared_ptr<Function>;
  /// What a call has waited for: an instance, or leave to start one, which ends with has_started()
  /// or give_up(). An instance ends with release() or dispose().
  struct Turn {
    std::optional<Idle> idle;
  };
  struct Refusal {
    Outcome::Kind kind;
    const char* why;
  };

  InstancePool(boost::asio::io_context& loop, boost::asio::thread_pool& workers, PoolLimits limits,
               Retired retired);

  /// Serves this version of a function from now on; instances of the one before end when they are
  /// done.
  void serve(DeployedPtr deployed);
  void withdraw(const std::string& name);
  /// Empty when there is none.
  [[nodiscard]] FunctionPtr find(const std::string& name) const;
  /// Whose instances work on the events of one that is served: its own, or those of the sandbox
  /// that it shares.
  [[nodiscard]] FunctionPtr home_of(const FunctionPtr& function) const;

  /// For an instance of `home`, which is home_of(called).
  boost::asio::awaitable<std::expected<Turn, Refusal>> wait_for_turn(FunctionPtr home,
                                                                     FunctionPtr called);
  void has_started(const FunctionPtr& function);
  /// It has answered: to whoever waits for it, or, if nobody comes soon, into the pause.
  void release(const FunctionPtr& function, std::unique_ptr<Instance> instance);
  /// Ends it: one that was at work.
  void dispose(const FunctionPtr& function, std::unique_ptr<Instance> instance);
  /// None could be started.
  void give_up(const FunctionPtr& function);

  /// Ends when no instance is left. Calls that run may end by themselves until the deadline; those
  /// that wait are refused.
  boost::asio::awaitable<void> close(Clock::time_point deadline);
  [[nodiscard]] bool is_closing() const noexcept { return is_closing_; }

  [[nodiscard]] std::vector<FunctionState> functions() const;  ///< Those that are served, by name.
  [[nodiscard]] std::uint64_t memory_promised() const noexcept { return promised_; }
  [[nodiscard]] std::uint64_t memory_max() const noexcept { return limits_.memory; }

 private:
  struct Waiter {
    FunctionPtr function;  ///< Whose instance it waits for.
    FunctionPtr called;    ///< The same, or a member of that.
    boost::asio::steady_timer timer;
    Clock::time_point since;
    bool is_granted = false;
    std::optional<Idle> idle = {};
  };

  /// What is known while all who wait are looked at once.
  struct Round {
    bool is_spoken_for = false;           ///< Free memory is for somebody who has waited longer.
    std::optional<bool> comes_back = {};  ///< Whether idle ones will give some.
  };

  /// An instance that nobody calls: it is paused soon, and its memory limit lowered later.
  boost::asio::awaitable<void> rest(FunctionPtr function, Clock::time_point since);
  boost::asio::awaitable<void> lower_limit(FunctionPtr function, Clock::time_point since);
  /// Of all that are paused. Whether memory comes back, by that or soon.
  bool lower_limits();
  /// Blocking work on an idle one. false: it was taken, or it ends.
  template <class Work>
  boost::asio::awaitable<bool> work_on(FunctionPtr function, Clock::time_point since, Work work);
  void dispose_idle(const FunctionPtr& function, Idle idle);
  boost::asio::awaitable<void> end(FunctionPtr function, Idle ended);
  void free(const FunctionPtr& function, std::uint64_t memory);
  boost::asio::awaitable<void> end_idle_ones();
  void retire(const FunctionPtr& function);
  void retire_if_done(Function& function);
  void renew_sandbox_of(const Function& member);
  void leave_queue(Waiter& waiter);
  static void stop_waiting(Waiter& waiter);
  void serve_waiters();
  bool grant(Waiter& waiter, Round& round);
  bool grant_idle(Waiter& waiter, Round& round);
  bool find_memory(std::uint64_t bytes, const Waiter& waiter, Round& round);
  bool has_memory(std::uint64_t bytes, bool is_patient, Round& round);
  void evict_one();

  boost::asio::io_context& loop_;
  boost::asio::thread_pool& workers_;
  PoolLimits limits_;
  Retired retired_;
  std::map<std::string, FunctionPtr> functions_ = {};
  std::list<Waiter*> waiters_ = {};
  boost::asio::steady_timer sweep_;
  boost::asio::steady_timer changed_;  ///< Cancelled when an instance has ended.
  std::uint64_t promised_ = 0;         ///< Bytes of instances, whatever they do.
  std::uint64_t leaving_ = 0;          ///< Of these, what is being ended for others.
  std::size_t instances_ = 0;
  std::uint64_t sandboxes_ = 0;  ///< That there have been.
  bool is_closing_ = false;
};

}  // namespace sockd
