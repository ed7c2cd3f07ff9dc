// Functions of one application whose events are worked on in sandboxes that they share.

#include <algorithm>

#include "sockd/application_sandbox.hpp"
#include "world.hpp"

namespace sockd::doubles {
namespace {

class Sandboxes : public World {
 protected:
  void serve_shared(const std::string& name, std::uint64_t version = 1,
                    std::uint64_t memory = 64 * mib, const std::string& application = "shop") {
    FunctionSpec spec{.handler = {}, .memory = memory, .application = application};
    spec.sandbox = FunctionSpec::Sandbox::application;
    serve(name, std::move(spec), version);
  }
  /// The sandbox's own entry of the pool.
  InstancePool::FunctionPtr home(const std::string& name) { return pool().home_of(function(name)); }
  std::vector<std::string> members(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& member : home(name)->deployed->members) names.push_back(member->stored.name);
    return names;
  }
};

TEST_F(Sandboxes, AreSharedByTheFunctionsOfAnApplication) {
  serve_shared("a", 1, 32 * mib);
  serve_shared("b", 1, 64 * mib);
  serve_shared("c", 1, 128 * mib, "other");
  serve("own", {.handler = {}, .application = "shop"});
  EXPECT_EQ(result_of("a", "1").path, "created");
  EXPECT_EQ(result_of("b", "2").path, "warm");
  EXPECT_EQ(result_of("own", "3").path, "created");
  EXPECT_EQ(result_of("c", "4").path, "created");
  EXPECT_EQ(home("a"), home("b"));
  EXPECT_EQ(members("a"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(home("a")->deployed->stored.spec.memory, 64 * mib) << "what the largest needs";
  EXPECT_EQ(home("own"), function("own"));
  EXPECT_EQ(machine.running().size(), 3U);
}

TEST_F(Sandboxes, CannotBeCalledByTheirNames) {
  serve_shared("a");
  EXPECT_EQ(function(":shop"), nullptr);
  EXPECT_EQ(result_of(":shop", "1").kind, Outcome::Kind::unknown_function);
  const auto states = pool().functions();
  ASSERT_EQ(states.size(), 1U);
  EXPECT_EQ(states.front().deployed->stored.name, "a");
}

TEST_F(Sandboxes, HaveTheCodeOfTheirMembersUntilTheyEnd) {
  serve_shared("a");
  serve_shared("b");
  EXPECT_EQ(result_of("a", "1").kind, Outcome::Kind::result);
  const auto waiting = call("a", "\"wait\"");
  ASSERT_TRUE(run_until([&] { return machine.at_once == 1; }));
  serve_shared("b", 2);
  run_ready();
  EXPECT_TRUE(retired.empty()) << "a sandbox at work has its code";
  EXPECT_EQ(result_of("b", "2").version, 2U);
  EXPECT_EQ(machine.running().size(), 2U);
  machine.open_gate();
  ASSERT_TRUE(run_until([&] { return waiting->has_value() && !retired.empty(); }));
  EXPECT_EQ(waiting->value().kind, Outcome::Kind::result);
  EXPECT_EQ(retired, std::vector<std::string>{"b 1"});
  EXPECT_EQ(machine.running().size(), 1U);
}

TEST_F(Sandboxes, GoWithTheLastOfTheirMembers) {
  serve_shared("a");
  serve_shared("b");
  EXPECT_EQ(result_of("a", "1").kind, Outcome::Kind::result);
  pool().withdraw("a");
  EXPECT_EQ(members("b"), std::vector<std::string>{"b"});
  EXPECT_EQ(result_of("b", "1").kind, Outcome::Kind::result);
  pool().withdraw("b");
  ASSERT_TRUE(run_until([&] { return retired.size() == 2 && machine.running().empty(); }));
  std::ranges::sort(retired);
  EXPECT_EQ(retired, (std::vector<std::string>{"a 1", "b 1"}));
  EXPECT_TRUE(pool().functions().empty());
  EXPECT_EQ(pool().memory_promised(), 0U);
}

TEST_F(Sandboxes, LoseWhoChangesToOneOfItsOwn) {
  serve_shared("a");
  serve_shared("b");
  serve("a", {.handler = {}, .application = "shop"}, 2);
  EXPECT_EQ(members("b"), std::vector<std::string>{"b"});
  EXPECT_EQ(home("a"), function("a"));
  serve_shared("b", 2, 64 * mib, "other");
  EXPECT_EQ(members("b"), std::vector<std::string>{"b"});
  ASSERT_TRUE(run_until([&] { return retired.size() == 2; }));
  EXPECT_EQ(result_of("a", "1").kind, Outcome::Kind::result);
  EXPECT_EQ(result_of("b", "1").kind, Outcome::Kind::result);
}

DeployedPtr member(const char* name, std::vector<sock::Package> packages) {
  Deployed deployed{.stored = {.name = name,
                               .version = 1,
                               .spec = {.handler = "m:f", .application = "shop"},
                               .code = std::string{"/code/"} + name,
                               .updated = {}}};
  deployed.stored.spec.sandbox = FunctionSpec::Sandbox::application;
  deployed.rootfs.binds = {{.source = "/empty", .target = "/hidden"}};
  for (const auto& package : packages)
    deployed.rootfs.binds.push_back({.source = "/cache", .target = "/packages/" + package.name});
  deployed.declared = std::move(packages);
  return std::make_shared<const Deployed>(std::move(deployed));
}

TEST_F(Sandboxes, SeeWhatTheirMembersSee) {
  const std::vector<DeployedPtr> members{member("a", {{.name = "x"}}),
                                         member("b", {{.name = "x"}})};
  const auto sandbox = sandbox_of(members, 7);
  const std::vector<sock::Bind> binds{{.source = "/empty", .target = "/hidden"},
                                      {.source = "/cache", .target = "/packages/x"},
                                      {.source = "/code/a", .target = "/functions/a"},
                                      {.source = "/code/b", .target = "/functions/b"}};
  EXPECT_EQ(sandbox->rootfs.binds, binds);
  EXPECT_EQ(sandbox->declared, std::vector<sock::Package>{{.name = "x"}});
  EXPECT_EQ(sandbox->members, members);
  EXPECT_EQ(sandbox->stored.version, 7U);
}

TEST_F(Sandboxes, AreSharedByThoseWithTheSamePackages) {
  const sock::Package numpy{"numpy", "1"};
  const sock::Package newer{"numpy", "2"};
  const sock::Package six{"six", "1"};
  pool().serve(member("a", {numpy, six}));
  pool().serve(member("b", {six, numpy}));
  pool().serve(member("c", {newer, six}));
  pool().serve(member("d", {}));
  EXPECT_EQ(members("a"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(members("c"), std::vector<std::string>{"c"});
  EXPECT_EQ(members("d"), std::vector<std::string>{"d"});
  // With its packages a function changes its sandbox.
  pool().serve(member("b", {newer, six}));
  EXPECT_EQ(members("a"), std::vector<std::string>{"a"});
  EXPECT_EQ(members("b"), (std::vector<std::string>{"b", "c"}));
}

TEST_F(Sandboxes, CountWhoWaitsForEachOfTheirMembers) {
  make_pool({.memory = 64 * mib, .function_queue = 2});
  serve_shared("a");
  serve_shared("b");
  const auto running = call("a", "\"wait\"");
  ASSERT_TRUE(run_until([&] { return machine.at_once == 1; }));
  const auto first = call("a", "1");
  const auto second = call("a", "1");
  run_ready();
  EXPECT_EQ(result_of("a", "1").kind, Outcome::Kind::function_busy);
  const auto other = call("b", "1");
  run_ready();
  EXPECT_FALSE(other->has_value()) << "it waits: none of its own does";
  for (const auto& state : pool().functions()) {
    EXPECT_EQ(state.waiting, state.deployed->stored.name == "a" ? 2U : 1U);
    EXPECT_EQ(state.home, ":shop");
  }
  machine.open_gate();
  ASSERT_TRUE(
      run_until([&] { return first->has_value() && second->has_value() && other->has_value(); }));
  EXPECT_EQ(other->value().kind, Outcome::Kind::result);
}

}  // namespace
}  // namespace sockd::doubles
