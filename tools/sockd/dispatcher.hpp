#pragma once

// Takes calls: an instance for each, its event, its answer, and what became of it.

#include <chrono>
#include <functional>
#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "bus.hpp"
#include "call.hpp"
#include "instance_pool.hpp"
#include "starter.hpp"

namespace sockd {

/// Thread-bound, to the loop.
class Dispatcher {
 public:
  /// Told of every call that has ended, and how long it took.
  using Observer =
      std::function<void(const CallRequest&, const Outcome&, std::chrono::nanoseconds)>;

  /// All of them outlive it, and it outlives every call.
  Dispatcher(boost::asio::io_context& loop, boost::asio::thread_pool& workers, Starter& starter,
             InstancePool& pool, Bus& bus, Observer observer)
      : loop_{loop},
        workers_{workers},
        starter_{starter},
        pool_{pool},
        bus_{bus},
        observer_{std::move(observer)} {}

  boost::asio::awaitable<Outcome> call(CallRequest request);
  /// What a body says: JSON as it is, nothing as null, and anything else as a text, which may be
  /// longer than an event then. It must stay until then.
  boost::asio::awaitable<std::string> event_of(const std::string& body);

 private:
  using FunctionPtr = InstancePool::FunctionPtr;

  boost::asio::awaitable<Outcome> dispatch(const CallRequest& request);
  std::unique_ptr<Instance> resume(const FunctionPtr& function, InstancePool::Idle idle,
                                   Outcome& outcome);
  boost::asio::awaitable<std::unique_ptr<Instance>> start_instance(FunctionPtr function,
                                                                   const CallRequest& request,
                                                                   Outcome& outcome);
  /// Until its first process has ended, or a second.
  boost::asio::awaitable<void> wait_for_end(Instance& instance);
  /// `home`: whose instance it is; `timeout`: the called function's.
  boost::asio::awaitable<void> finish(FunctionPtr home, std::chrono::milliseconds timeout,
                                      std::unique_ptr<Instance> instance, Reply reply,
                                      Outcome& outcome);

  boost::asio::io_context& loop_;
  boost::asio::thread_pool& workers_;
  Starter& starter_;
  InstancePool& pool_;
  Bus& bus_;
  Observer observer_;
};

}  // namespace sockd
