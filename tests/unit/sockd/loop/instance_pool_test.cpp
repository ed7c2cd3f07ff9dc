// Whose turn it is, and what an instance's life is, without containers.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "world.hpp"

namespace sockd {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using doubles::mib;
using doubles::TurnResult;

class InstancePools : public doubles::World {
 protected:
  [[nodiscard]] static bool is_granted(const TurnResult& turn) {
    return turn->has_value() && turn->value().has_value();
  }
  [[nodiscard]] static std::optional<Outcome::Kind> refusal(const TurnResult& turn) {
    if (!turn->has_value() || turn->value().has_value()) return {};
    return turn->value().error().kind;
  }
  void release(const std::string& name, const TurnResult& turn) {
    pool().release(function(name), instance_of(name, turn));
  }
  [[nodiscard]] FunctionState state(const std::string& name) {
    for (auto& each : pool().functions())
      if (each.deployed->stored.name == name) return each;
    return {};
  }
};

TEST_F(InstancePools, GiveAnInstanceToWhoeverWaitsForIt) {
  serve("f", {.concurrency = 1});
  const auto first = ask("f");
  ASSERT_TRUE(is_granted(first));
  EXPECT_FALSE(first->value()->idle.has_value()) << "there is none yet";
  const auto second = ask("f");
  const auto third = ask("f");
  EXPECT_FALSE(second->has_value()) << "the function may have one instance";
  EXPECT_EQ(state("f").waiting, 2U);
  release("f", first);
  run_ready();
  ASSERT_TRUE(is_granted(second)) << "in the order in which they have come";
  EXPECT_TRUE(second->value()->idle.has_value()) << "the same instance";
  EXPECT_FALSE(third->has_value());
  release("f", second);
  run_ready();
  ASSERT_TRUE(is_granted(third));
  release("f", third);
  EXPECT_EQ(machine.running(), std::vector<std::string>{"f-1"});
}

TEST_F(InstancePools, GiveATurnThatWasNotUsedToTheNext) {
  serve("f", {.concurrency = 1});
  const auto first = ask("f");
  const auto second = ask("f");
  pool().give_up(function("f"));
  run_ready();
  ASSERT_TRUE(is_granted(second));
  EXPECT_FALSE(second->value()->idle.has_value());
  pool().give_up(function("f"));
  EXPECT_EQ(pool().memory_promised(), 0U);
}

TEST_F(InstancePools, StartAFewOfAFunctionAtOnce) {
  serve("f", {.concurrency = 100});
  serve("other", {});
  std::vector<TurnResult> turns;
  for (int i = 0; i < 6; ++i) turns.push_back(ask("f"));
  EXPECT_TRUE(is_granted(turns[3]));
  EXPECT_FALSE(turns[4]->has_value());
  const auto other = ask("other");
  EXPECT_TRUE(is_granted(other)) << "others start";
  auto started = instance_of("f", turns[0]);
  run_ready();
  EXPECT_TRUE(is_granted(turns[4])) << "one is there";
  EXPECT_FALSE(turns[5]->has_value());
  pool().give_up(function("f"));
  run_ready();
  EXPECT_TRUE(is_granted(turns[5])) << "one will not be";
  for (int i = 0; i < 4; ++i) pool().give_up(function("f"));
  pool().give_up(function("other"));
  pool().release(function("f"), std::move(started));
}

TEST_F(InstancePools, PauseWhatRestsAndGiveTheLastUsedFirst) {
  serve("f", {});
  const auto first = ask("f");
  const auto second = ask("f");
  release("f", first);
  release("f", second);
  ASSERT_TRUE(run_until([&] { return state("f").paused == 2; }));
  const auto third = ask("f");
  ASSERT_TRUE(is_granted(third) && third->value()->idle.has_value());
  EXPECT_TRUE(third->value()->idle->is_paused);
  EXPECT_EQ(third->value()->idle->instance->container().name(), "f-2");
  release("f", third);
}

TEST_F(InstancePools, BoundTheQueueOfAFunction) {
  make_pool({.memory = 1024 * mib, .function_queue = 2});
  serve("f", {.concurrency = 1});
  serve("other", {.concurrency = 1});
  const auto first = ask("f");
  const auto second = ask("f");
  const auto third = ask("f");
  const auto fourth = ask("f");
  EXPECT_EQ(refusal(fourth), Outcome::Kind::function_busy);
  EXPECT_EQ(refusal(second), std::nullopt);
  EXPECT_EQ(refusal(third), std::nullopt);
  EXPECT_TRUE(is_granted(ask("other"))) << "others are served";
  EXPECT_EQ(state("f").waiting, 2U);
  for (const auto* name : {"f", "f", "f", "other"}) {
    pool().give_up(function(name));
    run_ready();
  }
  EXPECT_TRUE(is_granted(second) && is_granted(third));
}

TEST_F(InstancePools, BoundTheQueueOfAll) {
  make_pool({.memory = 1024 * mib, .queue = 2});
  std::vector<TurnResult> turns;
  for (const auto* name : {"a", "b", "c"}) {
    serve(name, {.concurrency = 1});
    EXPECT_TRUE(is_granted(ask(name)));
    turns.push_back(ask(name));
  }
  EXPECT_FALSE(turns[0]->has_value());
  EXPECT_FALSE(turns[1]->has_value());
  EXPECT_EQ(refusal(turns[2]), Outcome::Kind::overloaded);
  for (const auto* name : {"a", "a", "b", "b", "c"}) {
    pool().give_up(function(name));
    run_ready();
  }
}

TEST_F(InstancePools, RefuseWhoeverHasWaitedTooLong) {
  make_pool({.memory = 1024 * mib, .queue_time = 20ms});
  serve("f", {.concurrency = 1});
  const auto first = ask("f");
  const auto second = ask("f");
  ASSERT_TRUE(run_until([&] { return second->has_value(); }));
  EXPECT_EQ(refusal(second), Outcome::Kind::overloaded);
  EXPECT_EQ(state("f").waiting, 0U);
  pool().give_up(function("f"));
  EXPECT_EQ(pool().memory_promised(), 0U) << "who was refused holds nothing";
}

TEST_F(InstancePools, RefuseWhoeverWaitsWhenTheyClose) {
  serve("f", {.concurrency = 1});
  const auto first = ask("f");
  const auto second = ask("f");
  bool is_closed = false;
  asio::co_spawn(loop(), pool().close(InstancePool::Clock::now() + 5s),
                 [&](const std::exception_ptr&) { is_closed = true; });
  run_ready();
  EXPECT_EQ(refusal(second), Outcome::Kind::closing);
  EXPECT_FALSE(is_closed) << "one is at work";
  pool().give_up(function("f"));
  EXPECT_TRUE(run_until([&] { return is_closed; }));
}

TEST_F(InstancePools, EndTheInstancesOfTheVersionBefore) {
  serve("f", {}, 1);
  const auto at_work = ask("f");
  auto instance = instance_of("f", at_work);
  const auto before = function("f");
  use_once("f");
  serve("f", {}, 2);
  ASSERT_TRUE(run_until([&] { return machine.ends().size() == 1; })) << "the idle one";
  EXPECT_EQ(machine.ends(), std::vector<std::string>{"f-2"});
  EXPECT_EQ(retired, std::vector<std::string>{}) << "one is at work";
  pool().release(before, std::move(instance));
  EXPECT_TRUE(before->idle.empty()) << "nobody calls it any more";
  ASSERT_TRUE(run_until([&] { return !retired.empty(); }));
  EXPECT_EQ(retired, std::vector<std::string>{"f 1"});
  EXPECT_EQ(machine.running(), std::vector<std::string>{});
  pool().withdraw("f");
  EXPECT_EQ(retired, (std::vector<std::string>{"f 1", "f 2"})) << "one without instances, at once";
}

TEST_F(InstancePools, ServeThoseWhoWaitForTheVersionBefore) {
  serve("f", {.concurrency = 1}, 1);
  const auto first = ask("f");
  const auto second = ask("f");
  const auto before = function("f");
  pool().withdraw("f");
  EXPECT_EQ(function("f"), nullptr);
  pool().give_up(before);
  run_ready();
  EXPECT_TRUE(is_granted(second));
  EXPECT_EQ(retired, std::vector<std::string>{});
  pool().give_up(before);
  EXPECT_EQ(retired, std::vector<std::string>{"f 1"});
}

}  // namespace
}  // namespace sockd
