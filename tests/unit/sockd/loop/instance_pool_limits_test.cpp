// The memory of all instances: never more than there is, and who ends for whom.

#include <random>

#include "world.hpp"

namespace sockd {
namespace {

using namespace std::chrono_literals;
using doubles::mib;

class InstanceMemory : public doubles::World {
 protected:
  [[nodiscard]] static bool is_granted(const doubles::TurnResult& turn) {
    return turn->has_value() && turn->value().has_value();
  }
  [[nodiscard]] bool runs(const std::string& container) const {
    return machine.memory(container) > 0;
  }
  [[nodiscard]] bool is_paused(const std::string& name) {
    for (const auto& each : pool().functions())
      if (each.deployed->stored.name == name) return each.paused > 0;
    return false;
  }
};

TEST_F(InstanceMemory, IsNotPromisedTwice) {
  make_pool({.memory = 300 * mib});
  serve("f", {.memory = 100 * mib});
  std::vector<doubles::TurnResult> turns;
  for (int number = 0; number < 4; ++number) turns.push_back(ask("f"));
  EXPECT_TRUE(is_granted(turns[2]));
  EXPECT_FALSE(turns[3]->has_value()) << "there is memory for three";
  EXPECT_EQ(pool().memory_promised(), 300 * mib);
  pool().give_up(function("f"));
  run_ready();
  EXPECT_TRUE(is_granted(turns[3]));
  for (int number = 0; number < 3; ++number) pool().give_up(function("f"));
}

TEST_F(InstanceMemory, ComesFromTheOneThatWasUsedLongestAgo) {
  make_pool({.memory = 300 * mib});
  for (const auto* name : {"a", "b", "c", "d"}) serve(name, {.memory = 100 * mib});
  for (const auto* name : {"a", "b", "c", "a"}) {
    use_once(name);
    ASSERT_TRUE(run_until([&] { return is_paused(name); }));
  }
  use_once("d");
  EXPECT_EQ(machine.ends(), std::vector<std::string>{"b-2"});
  EXPECT_LE(machine.most_memory(), 300 * mib);
}

TEST_F(InstanceMemory, ComesFromAsManyAsAreNeeded) {
  make_pool({.memory = 300 * mib});
  for (const auto* name : {"a", "b", "c"}) serve(name, {.memory = 100 * mib});
  serve("large", {.memory = 200 * mib});
  for (const auto* name : {"a", "b", "c"}) {
    use_once(name);
    ASSERT_TRUE(run_until([&] { return is_paused(name); }));
  }
  use_once("large");
  EXPECT_EQ(machine.running(), (std::vector<std::string>{"c-3", "large-4"}));
  EXPECT_LE(machine.most_memory(), 300 * mib);
}

TEST_F(InstanceMemory, IsGivenBackByThoseThatRestBeforeAnyEnds) {
  make_pool({.memory = 300 * mib});
  machine.set_used(20 * mib);
  for (const auto* name : {"a", "b", "c"}) serve(name, {.memory = 150 * mib});
  for (const auto* name : {"a", "b", "c"}) {
    use_once(name);
    ASSERT_TRUE(run_until([&] { return is_paused(name); }));
  }
  EXPECT_EQ(machine.ends(), std::vector<std::string>{});
  EXPECT_EQ(machine.memory("a-1"), 21 * mib) << "what it has, and a little more";
  EXPECT_LE(machine.most_memory(), 300 * mib);
  use_once("a");
  EXPECT_TRUE(runs("a-1")) << "it was called again";
  EXPECT_EQ(machine.memory("a-1"), 150 * mib) << "with all that it may have";
  EXPECT_LE(machine.most_memory(), 300 * mib);
  EXPECT_LE(pool().memory_promised(), 300 * mib);
}

TEST_F(InstanceMemory, IsLeftToWhoeverHasWaitedLong) {
  make_pool({.memory = 200 * mib});
  serve("small", {.memory = 64 * mib});
  serve("large", {.memory = 192 * mib});
  const auto first = ask("small");
  ASSERT_TRUE(is_granted(first));
  const auto large = ask("large");
  EXPECT_FALSE(large->has_value());
  const auto second = ask("small");
  EXPECT_TRUE(is_granted(second)) << "a small one may overtake it, for a while";
  run_for(600ms);
  const auto third = ask("small");
  EXPECT_FALSE(third->has_value()) << "and no more";
  pool().give_up(function("small"));
  run_ready();
  EXPECT_FALSE(third->has_value()) << "not even when there is memory for it";
  pool().give_up(function("small"));
  run_ready();
  EXPECT_TRUE(is_granted(large));
  EXPECT_FALSE(third->has_value());
  pool().give_up(function("large"));
  run_ready();
  EXPECT_TRUE(is_granted(third));
  pool().give_up(function("small"));
}

TEST_F(InstanceMemory, IsWithinTheBudgetWhateverIsCalled) {
  constexpr std::uint64_t budget = 512 * mib;
  make_pool({.memory = budget, .queue_time = 30s});
  machine.set_used(40 * mib);
  for (int number = 0; number < 6; ++number)
    serve("f" + std::to_string(number),
          {.memory = (64 + 48 * static_cast<std::uint64_t>(number)) * mib,
           .concurrency = 3,
           .instances =
               number % 3 == 0 ? FunctionSpec::Instances::fresh : FunctionSpec::Instances::reused});
  std::minstd_rand chance{7};
  std::vector<std::shared_ptr<std::optional<Outcome>>> outcomes;
  const std::vector<std::string> events{"1", "\"yield\"", "\"yield\"", "\"raise\"", "\"broken\""};
  std::uint64_t most = 0;
  for (int round = 0; round < 60; ++round) {
    for (int number = 0; number < 5; ++number)
      outcomes.push_back(
          call("f" + std::to_string(chance() % 6), events[chance() % events.size()]));
    run_for(std::chrono::milliseconds{chance() % 25});
    loop().restart();
    most = std::max(most, pool().memory_promised());
    ASSERT_LE(pool().memory_promised(), budget);
  }
  ASSERT_TRUE(run_until([&] {
    most = std::max(most, pool().memory_promised());
    return std::ranges::all_of(outcomes, [](const auto& each) { return each->has_value(); });
  }));
  for (const auto& outcome : outcomes)
    EXPECT_TRUE(outcome->value().kind == Outcome::Kind::result ||
                outcome->value().kind == Outcome::Kind::raised ||
                outcome->value().kind == Outcome::Kind::bad_answer)
        << to_string(outcome->value().kind) << ": " << outcome->value().body;
  EXPECT_LE(most, budget);
  EXPECT_GT(most, budget / 2) << "it was used";
  EXPECT_LE(machine.most_memory(), budget) << "nor have the containers more";
  EXPECT_GT(machine.ends().size(), 10U) << "some have ended for others";
}

}  // namespace
}  // namespace sockd
