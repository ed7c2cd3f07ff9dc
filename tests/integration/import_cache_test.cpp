// The import cache: which zygote a request gets, and what tending makes of the misses. Real
// interpreters, on the real kernel.

#include <algorithm>
#include <atomic>
#include <thread>

#include <poll.h>
#include <sys/socket.h>

#include "import_cache_fixture.hpp"

namespace sock::test {
namespace {

using namespace std::chrono_literals;

TEST_F(ImportCaches, LearnFromAMissWhatTheNextRequestFinds) {
  ImportCache cache = open(cache_spec());
  EXPECT_EQ(tend(cache), Steps{});
  const Answer miss = ask(cache, {"mod_a", "mod_b"}, "import mod_a, mod_b; print('ran')");
  EXPECT_EQ(miss.zygote, "root");
  EXPECT_EQ(miss.missing, declare({"mod_a", "mod_b"}));
  EXPECT_EQ(miss.fallback, "");
  EXPECT_EQ(miss.out, "ran\n");
  EXPECT_TRUE(is_due(cache));
  EXPECT_EQ(tend(cache), Steps{"started node-1"});
  EXPECT_FALSE(is_due(cache));
  const Answer hit = ask(cache, {"mod_b", "mod_a"});
  EXPECT_EQ(hit.zygote, "node-1");
  EXPECT_TRUE(hit.missing.empty());
  EXPECT_EQ(hit.out, "mod_a mod_b");
  EXPECT_FALSE(is_due(cache));
  EXPECT_EQ(zygote(cache, "node-1").forks, 1U);
}

TEST_F(ImportCaches, ForkOnlyFromZygotesThatImportNothingUndeclared) {
  ImportCache cache = open(cache_spec());
  ask(cache, {"mod_a"});
  tend(cache);
  const Answer other = ask(cache, {"mod_b"});
  EXPECT_EQ(other.zygote, "root");
  EXPECT_EQ(other.out, "");
  const Answer more = ask(cache, {"mod_a", "mod_c"});
  EXPECT_EQ(more.zygote, "node-1");
  EXPECT_EQ(more.missing, declare({"mod_c"}));
  EXPECT_EQ(more.out, "mod_a");
}

// The packages of a node are sorted by name; one may need a later one, and have modules of other
// names.
TEST_F(ImportCaches, ImportWhatPackagesAreToldToBe) {
  write_module("mod_later", "x = 5\n");
  write_module("mod_first", "import mod_later\n");
  ImportCacheSpec spec = cache_spec();
  spec.modules = {{Package{"a-first", "1"}, {"mod_first"}},
                  {Package{"b-later", "1"}, {"mod_later"}}};
  const std::vector<Package> declared{{"a-first", "1"}, {"b-later", "1"}};
  for (const auto& each : declared) spec.paths[each] = "/modules";
  ImportCache cache = open(spec);
  for (const bool is_first : {true, false}) {
    auto start = cache.fork(request("import sys; exit('mod_first' not in sys.modules)"), declared);
    ASSERT_TRUE(start) << start.error().message();
    EXPECT_EQ(start->container.wait()->ok(), !is_first);
    EXPECT_EQ(start->zygote, is_first ? "root" : "node-1");
    tend(cache);
  }
}

TEST_F(ImportCaches, StartTheNodesOfAGivenTreeWhenTheyAreMissed) {
  ImportCacheSpec spec = cache_spec();
  const auto a = spec.tree.add({.name = "a", .parent = 0, .packages = declare({"mod_a"})});
  ASSERT_TRUE(a);
  ASSERT_TRUE(spec.tree.add({.name = "ab", .parent = *a, .packages = declare({"mod_b"})}));
  ASSERT_TRUE(spec.tree.add({.name = "c", .parent = 0, .packages = declare({"mod_c"})}));
  spec.growth.nodes_max = 4;
  ImportCache cache = open(spec);
  EXPECT_EQ(tend(cache), Steps{});
  EXPECT_EQ(ask(cache, {"mod_a", "mod_b"}).zygote, "root");
  EXPECT_EQ(tend(cache), (Steps{"started a", "started ab"}));
  EXPECT_EQ(ask(cache, {"mod_a", "mod_b"}).out, "mod_a mod_b");
  EXPECT_EQ(zygote(cache, "c").replicas, 0U);
}

TEST_F(ImportCaches, StartAWholeTreeAheadWhenTold) {
  ImportCacheSpec spec = cache_spec();
  for (const char* name : {"mod_a", "mod_b", "mod_c"})
    ASSERT_TRUE(spec.tree.add({.name = name, .parent = 0, .packages = declare({name})}));
  spec.start = TreeStart::ahead;
  ImportCache cache = open(spec);
  EXPECT_TRUE(is_due(cache));
  EXPECT_EQ(tend(cache).size(), 3U);
  EXPECT_EQ(ask(cache, {"mod_b"}).zygote, "mod_b");
}

TEST_F(ImportCaches, GrowWithoutThePackageThatCannotBeImported) {
  write_module("mod_bad",
               "import threading, time\n"
               "threading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n");
  ImportCache cache = open(cache_spec());
  ask(cache, {"mod_a", "mod_bad"});
  EXPECT_EQ(tend(cache), (Steps{"failed node-1", "started node-2"}));
  const Answer answer = ask(cache, {"mod_a", "mod_bad"});
  EXPECT_EQ(answer.zygote, "node-2");
  EXPECT_EQ(answer.missing, declare({"mod_bad"}));
  EXPECT_EQ(answer.out, "mod_a");
  EXPECT_EQ(tend(cache), Steps{});
}

TEST_F(ImportCaches, ServeFromAnAncestorWhileANodeCannotStart) {
  write_module("mod_bad", "raise ValueError('no')");
  ImportCacheSpec spec = cache_spec();
  const auto a = spec.tree.add({.name = "a", .parent = 0, .packages = declare({"mod_a"})});
  ASSERT_TRUE(spec.tree.add({.name = "bad", .parent = *a, .packages = declare({"mod_bad"})}));
  ImportCache cache = open(spec);
  ask(cache, {"mod_a", "mod_bad"});
  EXPECT_EQ(tend(cache), (Steps{"started a", "failed bad"}));
  EXPECT_EQ(ask(cache, {"mod_a", "mod_bad"}).zygote, "a");
  EXPECT_NE(zygote(cache, "bad").failure.find("ValueError: no"), std::string::npos)
      << zygote(cache, "bad").failure;
}

TEST_F(ImportCaches, ForkTheNextBestWhenAZygoteDiesOfAFork) {
  // The first fork is the one by which the zygote learns what its children touch.
  write_module("mod_bad",
               "import os\nforks = []\n"
               "def die(): forks.append(0); len(forks) > 1 and os._exit(3)\n"
               "os.register_at_fork(before=die)\n");
  ImportCacheSpec spec = cache_spec();
  ASSERT_TRUE(spec.tree.add(
      {.name = "bad", .parent = 0, .packages = declare({"mod_bad"}), .modules = {"mod_bad"}}));
  ImportCache cache = open(spec);
  ask(cache, {"mod_bad"});
  EXPECT_EQ(tend(cache), Steps{"started bad"});
  const Answer answer = ask(cache, {"mod_bad"}, "print('ran')");
  EXPECT_EQ(answer.zygote, "root");
  EXPECT_EQ(answer.out, "ran\n");
  EXPECT_NE(answer.fallback.find("bad: "), std::string::npos) << answer.fallback;
  EXPECT_EQ(tend(cache), Steps{});  // It rests.
}

TEST_F(ImportCaches, CreateAContainerWhenTheDomainHasDied) {
  ImportCache cache = open(cache_spec());
  ask(cache, {"mod_a"});
  tend(cache);
  ASSERT_TRUE(cache.kill());
  const Answer answer = ask(cache, {"mod_a"}, "import mod_a, os; print(os.getpid())");
  EXPECT_EQ(answer.zygote, "");
  EXPECT_NE(answer.fallback, "");
  EXPECT_EQ(answer.missing, declare({"mod_a"}));
  EXPECT_EQ(answer.out, has_cgroups() ? "1\n" : "2\n");  // Without them it needs an init.
  EXPECT_EQ(tend(cache).front(), "opened root");
  EXPECT_EQ(ask(cache, {}).zygote, "root");
}

TEST_F(ImportCaches, ServeEventsAlsoFromAFreshInterpreter) {
  write_module("mod_a", "def double(event): return 2 * event\n");
  ImportCache cache = open(cache_spec());
  ASSERT_TRUE(cache.kill());
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const UniqueFd here{ends[0]};
  UniqueFd there{ends[1]};
  ContainerSpec spec = request("");
  spec.argv = {"python3", "-m", "sock_handler", "mod_a:double"};
  spec.fds = {{.name = "channel", .fd = there}};
  auto start = cache.fork(spec, declare({"mod_a"}));
  ASSERT_TRUE(start) << start.error().message();
  there.reset();
  ASSERT_EQ(::write(here.get(), "21\n", 3), 3);
  ASSERT_EQ(::shutdown(here.get(), SHUT_WR), 0);
  EXPECT_EQ(drain(here), "{\"result\": 42}\n");
}

TEST_F(ImportCaches, KeepSparesOfEveryZygote) {
  ImportCacheSpec spec = cache_spec();
  spec.spares = 1;
  ImportCache cache = open(spec);
  const auto ask_for_spare = [&](std::initializer_list<const char*> modules) {
    const auto deadline = in(20s);
    Answer answer;
    while (answer.origin != Origin::spare && std::chrono::steady_clock::now() < deadline)
      answer = ask(cache, modules);
    return answer;
  };
  EXPECT_EQ(ask_for_spare({}).origin, Origin::spare);
  ask(cache, {"mod_a"});
  EXPECT_EQ(tend(cache), Steps{"started node-1"});
  const Answer answer = ask_for_spare({"mod_a"});
  EXPECT_EQ(answer.origin, Origin::spare);
  EXPECT_EQ(answer.zygote, "node-1");
  EXPECT_EQ(answer.out, "mod_a");
}

TEST_F(ImportCaches, EndWhatIsWorthLeastWhenMemoryIsShort) {
  write_module("mod_big", "x = bytearray(b'x') * (40 << 20)\nsum(range(1_000_000))\n");
  write_module("mod_large", "x = bytearray(b'x') * (40 << 20)\nsum(range(1_000_000))\n");
  ImportCacheSpec spec = cache_spec();
  spec.memory_max = 80U << 20U;
  ImportCache cache = open(spec);
  ask(cache, {"mod_big"});
  EXPECT_EQ(tend(cache), Steps{"started node-1"});
  ask(cache, {"mod_large"});
  // Never measured, it is tried; as it is not worth more than what it displaced, it stays out.
  const auto steps = tend(cache);
  ASSERT_FALSE(steps.empty());
  const auto zygotes = cache.zygotes();
  std::uint64_t in_use = 0;
  for (const auto& zygote : zygotes) in_use += zygote.replicas * zygote.memory;
  EXPECT_LE(in_use, spec.memory_max);
  EXPECT_GE(std::ranges::count_if(steps, [](const auto& s) { return s.starts_with("evicted"); }),
            1);
  for (int i = 0; i < 4; ++i) ask(cache, {"mod_large"});
  tend(cache);
  EXPECT_EQ(zygote(cache, "node-2").replicas, 1U);
  EXPECT_EQ(zygote(cache, "node-1").replicas, 0U);
}

TEST_F(ImportCaches, RenewWhatHasForkedOftenAndLeaveItsContainersAlone) {
  ImportCacheSpec spec = cache_spec();
  spec.recycling.forks_max = 3;
  ImportCache cache = open(spec);
  ask(cache, {"mod_a"});
  tend(cache);
  const std::string hash = ask(cache, {"mod_a"}, "print(hash('x'))").out;
  TestPipe in = make_pipe();
  TestPipe out = make_pipe();
  ContainerSpec waiting = request("import sys; print(sys.stdin.read(), end='')");
  waiting.name = "waiting";
  waiting.stdio = {.in = in.reader, .out = out.writer};
  auto running = cache.fork(waiting, declare({"mod_a"}));
  ASSERT_TRUE(running) << running.error().message();
  out.writer.reset();
  EXPECT_EQ(tend(cache), (Steps{"renewed root", "renewed node-1"}));
  const Answer renewed = ask(cache, {"mod_a"}, "print(hash('x'))");
  EXPECT_EQ(renewed.zygote, "node-1");
  EXPECT_NE(renewed.out, hash);
  ASSERT_EQ(::write(in.writer.get(), "still here", 10), 10);
  in.writer.reset();
  EXPECT_EQ(drain(out.reader), "still here");
  EXPECT_TRUE(running->container.wait()->ok());
}

TEST_F(ImportCaches, NameTheSpecThatCannotBeRunAndStay) {
  ImportCache cache = open(cache_spec());
  ContainerSpec spec = request("");
  spec.cwd = "relative";
  const auto refused = cache.fork(spec, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_spec);
  EXPECT_EQ(ask(cache, {}).zygote, "root");
}

TEST_F(ImportCaches, RefuseLimitsThatCannotBe) {
  for (const auto& spoil : std::vector<void (*)(ImportCacheSpec&)>{
           [](ImportCacheSpec& spec) { spec.memory_max = 0; },
           [](ImportCacheSpec& spec) { spec.domain.runtime = Runtime::native; },
           [](ImportCacheSpec& spec) { spec.replicas_max = 0; },
           [](ImportCacheSpec& spec) { spec.recycling.forks_max = 0; },
           [](ImportCacheSpec& spec) { spec.import_deadline = 0ms; }}) {
    ImportCacheSpec spec = cache_spec();
    spoil(spec);
    const auto cache = host().open_import_cache(spec);
    ASSERT_FALSE(cache);
    EXPECT_EQ(cache.error().code, Errc::invalid_spec);
  }
}

TEST_F(ImportCaches, ServeThreadsWhileTheyAreTended) {
  write_module("mod_big", "x = bytearray(b'x') * (20 << 20)\n");
  ImportCacheSpec spec = cache_spec();
  spec.memory_max = 45U << 20U;
  spec.recycling.forks_max = 20;
  ImportCache cache = open(spec);
  const std::array<std::vector<Package>, 4> wishes{declare({"mod_a"}), declare({"mod_a", "mod_b"}),
                                                   declare({"mod_big"}),
                                                   declare({"mod_big", "mod_c"})};
  constexpr int threads = 3;
  constexpr int each = 20;
  std::atomic<int> served = 0;
  {
    std::atomic<int> asking = threads;
    std::vector<std::jthread> clients;
    for (int number = 0; number < threads; ++number)
      clients.emplace_back([&, number] {
        for (int i = 0; i < each; ++i) {
          ContainerSpec spec_of_one = request("pass");
          spec_of_one.name = "c" + std::to_string(number) + "-" + std::to_string(i);
          auto start = cache.fork(spec_of_one, wishes[static_cast<std::size_t>(number + i) % 4]);
          if (!start)
            ADD_FAILURE() << start.error().message();
          else if (start->container.wait()->ok())
            ++served;
        }
        --asking;
      });
    while (asking > 0) EXPECT_TRUE(cache.tend());
  }
  EXPECT_EQ(served, threads * each);
}

}  // namespace
}  // namespace sock::test
