// Every verb from many threads: on containers of their own, and on one that they share. What each
// answers depends on the order; that all of them answer, and that nothing is left, does not.

#include <array>
#include <atomic>
#include <csignal>
#include <thread>

#include "host_fixture.hpp"

namespace sock::test {
namespace {

constexpr int threads = 16;

class Threads : public HostTest {
 protected:
  template <class Body>
  static void run_all(Body body) {
    std::vector<std::jthread> running;
    for (int thread = 0; thread < threads; ++thread)
      running.emplace_back([&body, thread] { body(thread); });
  }
  ContainerSpec sleeper(const std::string& name) {
    ContainerSpec spec = shell("exec sleep 60");
    spec.name = name;
    return spec;
  }
};

// An answer of either kind, but one of the library's own.
template <class T>
void expect_answer(const Result<T>& result) {
  if (!result) {
    EXPECT_FALSE(result.error().message().empty());
    EXPECT_NE(result.error().code, Errc::corrupt) << result.error().message();
  }
}

void call_every_verb(Container& container) {
  const auto process = container.exec({.argv = {"/bin/true"}, .env = {"PATH=/bin"}});
  expect_answer(process);
  expect_answer(container.stats());
  expect_answer(container.update({.pids_max = 64}));
  expect_answer(container.pause());
  expect_answer(container.resume());
  expect_answer(container.signal(SIGWINCH));  // Ignored by default.
  expect_answer(container.wait_until(in(std::chrono::milliseconds{0})));
  EXPECT_TRUE(container.kill());
  EXPECT_TRUE(container.wait());
}

TEST_F(Threads, UseContainersOfTheirOwn) {
  run_all([&](int thread) {
    for (int turn = 0; turn < 2; ++turn) {
      auto container = host().create(sleeper("own-" + std::to_string(thread)));
      ASSERT_TRUE(container) << container.error().message();
      call_every_verb(*container);
    }
  });
  EXPECT_EQ(run_shell("echo fine").out, "fine\n");
}

TEST_F(Threads, ShareOneContainer) {
  auto container = host().create(sleeper("shared"));
  ASSERT_TRUE(container) << container.error().message();
  std::jthread waiting{[&] {
    const auto status = container->wait();
    ASSERT_TRUE(status) << status.error().message();
    EXPECT_EQ(*status, (ExitStatus{ExitStatus::Kind::signaled, SIGKILL}));
  }};
  run_all([&](int thread) {
    for (int turn = 0; turn < 8; ++turn) {
      EXPECT_EQ(container->name(), "shared");
      EXPECT_GT(container->pid(), 0);
      EXPECT_TRUE(container->pidfd());
      EXPECT_FALSE(container->terminal());
      EXPECT_FALSE(container->timings().empty());
      expect_answer(container->stats());
      expect_answer(container->signal(SIGWINCH));
      expect_answer(thread % 2 == 0 ? container->pause() : container->resume());
    }
  });
  expect_answer(container->resume());
  run_all([&](int) { EXPECT_TRUE(container->kill()); });
}

TEST_F(Threads, GiveANameToOneOfThem) {
  std::array<std::atomic<int>, 2> count{};  // Winners, losers.
  std::vector<Container> winner;
  run_all([&](int) {
    auto made = host().create(sleeper("one"));
    ++count.at(made ? 0 : 1);
    if (made) {
      winner.push_back(std::move(*made));  // There is one, or the test fails.
    } else {
      EXPECT_EQ(made.error().code, Errc::exists) << made.error().message();
    }
  });
  EXPECT_EQ(count[0], 1);
  EXPECT_EQ(count[1], threads - 1);
}

}  // namespace
}  // namespace sock::test
