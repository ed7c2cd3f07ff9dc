// The life of the loop: it runs in the test's own thread.

#include "world.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace sockd::doubles {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

asio::awaitable<void> put_turn(TurnResult result, InstancePool& pool,
                               InstancePool::FunctionPtr function) {
  *result = co_await pool.wait_for_turn(function, function);
}

asio::awaitable<void> put_outcome(std::shared_ptr<std::optional<Outcome>> outcome,
                                  Dispatcher& dispatcher, CallRequest request) {
  *outcome = co_await dispatcher.call(std::move(request));
}

std::unexpected<sock::Error> none() {
  return sockctl::refuse(Errc::not_found, Stage::none, "data");
}

}  // namespace

SharedData::Answer<> NoData::put(DataName /*of*/, SealedObject /*object*/,
                                 std::chrono::milliseconds /*time_to_live*/) {
  co_return none();
}
SharedData::Answer<sock::UniqueFd> NoData::get(DataName /*of*/) {
  co_return none();
}
SharedData::Answer<bool> NoData::remove(DataName /*of*/) {
  co_return none();
}
SharedData::Answer<std::int64_t> NoData::add(DataName /*of*/, std::int64_t /*by*/,
                                             std::chrono::milliseconds /*time_to_live*/) {
  co_return none();
}

World::World(PoolLimits limits)
    : host_{sock::Host::open({.state_dir = "/nowhere"}).value()}, starter_{host_, {}} {
  make_pool(limits);
}

World::~World() {
  bool is_closed = false;
  auto close = [this]() { return pool_->close(InstancePool::Clock::now() + 5s); };
  asio::co_spawn(loop_, close, [&is_closed](const std::exception_ptr&) { is_closed = true; });
  EXPECT_TRUE(run_until([&] { return is_closed; }));
  EXPECT_EQ(machine.running(), std::vector<std::string>{}) << "all containers have ended";
  EXPECT_EQ(pool_->memory_promised(), 0U);
  workers_.join();
  run_ready();
}

void World::make_pool(PoolLimits limits) {
  dispatcher_.reset();
  bus_.reset();
  if (pool_) {
    // What it has begun ends with it.
    asio::co_spawn(loop_, pool_->close(InstancePool::Clock::now()), asio::detached);
    run_ready();
  }
  auto note = [this](const StoredFunction& of) {
    retired.push_back(of.name + " " + std::to_string(of.version));
  };
  pool_ = std::make_unique<InstancePool>(loop_, workers_, limits, note);
  bus_ = std::make_unique<Bus>(loop_, *pool_, data_, mib);
  dispatcher_ = std::make_unique<Dispatcher>(
      loop_, workers_, starter_, *pool_, *bus_,
      [](const CallRequest&, const Outcome&, std::chrono::nanoseconds) {});
}

void World::serve(const std::string& name, FunctionSpec spec, std::uint64_t version) {
  spec.handler = "main:handler";
  pool_->serve(std::make_shared<Deployed>(Deployed{
      .stored = {
          .name = name, .version = version, .spec = std::move(spec), .code = {}, .updated = {}}}));
}

bool World::run_until(const std::function<bool()>& condition) {
  const auto deadline = InstancePool::Clock::now() + 20s;
  loop_.restart();
  while (!condition() && InstancePool::Clock::now() < deadline) {
    loop_.run_one_until(std::min(deadline, InstancePool::Clock::now() + 50ms));
    loop_.restart();
  }
  return condition();
}

void World::run_ready() {
  loop_.restart();
  loop_.poll();
}

TurnResult World::ask(const std::string& name) {
  auto result = std::make_shared<TurnResult::element_type>();
  asio::co_spawn(loop_, put_turn(result, *pool_, function(name)), asio::detached);
  run_ready();
  return result;
}

std::unique_ptr<Instance> World::instance_of(const std::string& name, const TurnResult& turn) {
  auto& granted = turn->value().value();
  if (granted.idle) {
    // As Dispatcher::resume().
    auto& container = granted.idle->instance->container();
    const auto& spec = function(name)->deployed->stored.spec;
    if (granted.idle->memory < spec.memory) {
      EXPECT_TRUE(container.update(resources_of(spec)).has_value());
    }
    EXPECT_TRUE(container.resume().has_value());
    return std::move(granted.idle->instance);
  }
  pool_->has_started(function(name));
  return std::make_unique<Instance>(loop_, workers_,
                                    starter_.start(*function(name)->deployed, "request").value(),
                                    Bus::ConnectionPtr{});
}

void World::use_once(const std::string& name) {
  const auto turn = ask(name);
  ASSERT_TRUE(run_until([&] { return turn->has_value(); }));
  ASSERT_TRUE(turn->value().has_value()) << turn->value().error().why;
  pool_->release(function(name), instance_of(name, turn));
}

std::shared_ptr<std::optional<Outcome>> World::call(const std::string& function,
                                                    std::string event) {
  auto outcome = std::make_shared<std::optional<Outcome>>();
  CallRequest request{.function = function, .event = std::move(event), .id = "id"};
  asio::co_spawn(loop_, put_outcome(outcome, *dispatcher_, std::move(request)), asio::detached);
  return outcome;
}

Outcome World::result_of(const std::string& function, std::string event) {
  const auto outcome = call(function, std::move(event));
  EXPECT_TRUE(run_until([&] { return outcome->has_value(); }));
  return outcome->value_or(Outcome{.kind = Outcome::Kind::closing});
}

}  // namespace sockd::doubles
