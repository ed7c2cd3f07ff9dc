// From an event to an outcome, and what becomes of the instance.

#include "world.hpp"

namespace sockd {
namespace {

using doubles::mib;

class Dispatchers : public doubles::World {};

TEST_F(Dispatchers, TellWhatBecameOfACall) {
  serve("f", {});
  const std::pair<const char*, Outcome::Kind> ends[] = {{"1", Outcome::Kind::result},
                                                        {"\"raise\"", Outcome::Kind::raised},
                                                        {"\"late\"", Outcome::Kind::timed_out},
                                                        {"\"gone\"", Outcome::Kind::exited},
                                                        {"\"broken\"", Outcome::Kind::bad_answer},
                                                        {"no JSON", Outcome::Kind::bad_event}};
  for (const auto& [event, kind] : ends) EXPECT_EQ(result_of("f", event).kind, kind) << event;
  EXPECT_EQ(result_of("nobody", "1").kind, Outcome::Kind::unknown_function);
  EXPECT_EQ(result_of("f", "{\"a\": 1}").body, "{\"a\": 1}");
}

TEST_F(Dispatchers, KeepTheInstancesThatHaveAnsweredAndNoOthers) {
  serve("f", {});
  for (const auto* event : {"1", "\"raise\"", "2"})
    EXPECT_NE(result_of("f", event).kind, Outcome::Kind::not_started);
  EXPECT_EQ(machine.running(), std::vector<std::string>{"f-1"}) << "one has served all";
  for (const auto* event : {"\"late\"", "\"gone\"", "\"broken\""}) {
    result_of("f", event);
    ASSERT_TRUE(run_until([&] { return machine.running().empty(); })) << event;
  }
  EXPECT_EQ(machine.ends(), (std::vector<std::string>{"f-1", "f-2", "f-3"}));
  EXPECT_TRUE(run_until([&] { return pool().memory_promised() == 0; }));
}

TEST_F(Dispatchers, MakeAnInstanceForEachCallWhereThatIsAskedFor) {
  serve("f", {.instances = FunctionSpec::Instances::fresh});
  for (int number = 0; number < 3; ++number) {
    const auto outcome = result_of("f", "1");
    EXPECT_EQ(outcome.path, "created");
    EXPECT_EQ(outcome.version, 1U);
  }
  ASSERT_TRUE(run_until([&] { return machine.ends().size() == 3; }));
}

TEST_F(Dispatchers, HoldNothingOfWhatCouldNotBeStarted) {
  serve("f", {});
  machine.refuse("f");
  const auto outcome = result_of("f", "1");
  EXPECT_EQ(outcome.kind, Outcome::Kind::not_started);
  EXPECT_NE(outcome.body.find("cannot be started"), std::string::npos) << outcome.body;
  EXPECT_EQ(pool().memory_promised(), 0U);
}

TEST_F(Dispatchers, TellHowACallWasServed) {
  serve("f", {});
  EXPECT_EQ(result_of("f", "1").path, "created");
  EXPECT_EQ(result_of("f", "1").path, "warm");
  ASSERT_TRUE(run_until([&] { return pool().functions().at(0).paused == 1; }));
  const auto outcome = result_of("f", "1");
  EXPECT_EQ(outcome.path, "paused");
  std::vector<std::string> stages;
  for (const auto& stage : outcome.stages) stages.push_back(stage.name);
  EXPECT_EQ(stages, (std::vector<std::string>{"queue", "resume", "call"}));
}

}  // namespace
}  // namespace sockd
