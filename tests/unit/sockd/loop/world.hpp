#pragma once

// A daemon's loop without a machine below it: a pool, a dispatcher, and functions.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <gtest/gtest.h>

#include "sock/host.hpp"

#include "machine.hpp"
#include "sockd/dispatcher.hpp"
#include "sockd/instance_pool.hpp"
#include "sockd/shared_data.hpp"
#include "sockd/starter.hpp"

namespace sockd::doubles {

constexpr std::uint64_t mib = 1ULL << 20U;

class NoData : public SharedData {
 public:
  Answer<> reach() override { co_return sock::Result<>{}; }
  Answer<> put(DataName of, SealedObject object, std::chrono::milliseconds) override;
  Answer<sock::UniqueFd> get(DataName of) override;
  Answer<bool> remove(DataName of) override;
  Answer<std::int64_t> add(DataName of, std::int64_t by, std::chrono::milliseconds) override;
  void forget_old() override {}
};

/// One that has been asked for; empty until it is there.
using TurnResult =
    std::shared_ptr<std::optional<std::expected<InstancePool::Turn, InstancePool::Refusal>>>;

class World : public testing::Test {
 protected:
  explicit World(PoolLimits limits = {.memory = 1024 * mib});
  ~World() override;

  /// Another pool; before anything else.
  void make_pool(PoolLimits limits);
  InstancePool& pool() { return *pool_; }
  Dispatcher& dispatcher() { return *dispatcher_; }
  boost::asio::io_context& loop() { return loop_; }

  void serve(const std::string& name, FunctionSpec spec, std::uint64_t version = 1);
  InstancePool::FunctionPtr function(const std::string& name) { return pool_->find(name); }

  /// Runs the loop until that is so. Fails after some seconds.
  [[nodiscard]] bool run_until(const std::function<bool()>& condition);
  /// Lets it do all that it can at once, without a timer's help.
  void run_ready();
  void run_for(std::chrono::milliseconds time) { loop_.run_for(time); }

  /// Asks for a turn, and lets the loop do what follows at once.
  TurnResult ask(const std::string& name);
  /// As a dispatcher does with a turn: the instance, started where there is none.
  std::unique_ptr<Instance> instance_of(const std::string& name, const TurnResult& turn);
  /// An instance that has answered and rests.
  void use_once(const std::string& name);

  std::shared_ptr<std::optional<Outcome>> call(const std::string& function, std::string event);
  Outcome result_of(const std::string& function, std::string event);

  boost::asio::io_context loop_;
  Machine machine{loop_};
  std::vector<std::string> retired;  ///< "NAME VERSION"

 private:
  boost::asio::thread_pool workers_{2};
  sock::Host host_;
  Starter starter_;
  NoData data_;
  std::unique_ptr<InstancePool> pool_;
  std::unique_ptr<Bus> bus_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

}  // namespace sockd::doubles
