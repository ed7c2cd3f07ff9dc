// Events in the queue of a daemon: each is delivered, or becomes a dead letter.

#include "sockd/event_queue.hpp"

#include <filesystem>
#include <map>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "world.hpp"

namespace sockd {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using enum EventFate;

template <class T>
asio::awaitable<void> put_result(std::shared_ptr<std::optional<T>> place, asio::awaitable<T> work) {
  *place = co_await std::move(work);
}

asio::awaitable<bool> as_done(asio::awaitable<void> work) {
  co_await std::move(work);
  co_return true;
}

class EventQueues : public doubles::World {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "sock-queue-XXXXXX";
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    directory_ = path;
    open({});
  }
  void TearDown() override {
    close();
    std::filesystem::remove_all(directory_);
  }

  void open(EventLimits limits) {
    auto store = EventStore::open(directory_ + "/events.db");
    ASSERT_TRUE(store.has_value()) << store.error().message();
    queue_ = std::make_unique<EventQueue>(
        loop(), std::move(*store), dispatcher(), pool(), limits,
        [this](const std::string& function, EventFate fate) { ++fates[function][fate]; });
    const auto started = queue_->start();
    ASSERT_TRUE(started.has_value()) << started.error().message();
    run_ready();
  }
  void close() {
    machine.open_gate();
    queue_->close();
    of(as_done(queue_->settle(std::chrono::steady_clock::now() + 5s)));
    run_ready();
    queue_.reset();
  }
  EventQueue& queue() { return *queue_; }

  template <class T>
  T of(asio::awaitable<T> work) {
    auto result = std::make_shared<std::optional<T>>();
    asio::co_spawn(loop(), put_result(result, std::move(work)), asio::detached);
    EXPECT_TRUE(run_until([&] { return result->has_value(); }));
    return std::move(result->value());
  }
  Result<> accept(const std::string& function, std::string text) {
    return of(queue().accept(function, "http", std::move(text), std::to_string(++ids_)));
  }
  void must_accept(const std::string& function, std::string text) {
    const auto accepted = accept(function, std::move(text));
    ASSERT_TRUE(accepted.has_value()) << accepted.error().message();
  }
  [[nodiscard]] bool are_gone() {
    return run_until([&] { return queue().waiting() == 0; });
  }

  std::map<std::string, std::map<EventFate, int>> fates = {};

 private:
  std::string directory_;
  std::unique_ptr<EventQueue> queue_;
  int ids_ = 0;
};

TEST_F(EventQueues, DeliverWhatTheyHaveAccepted) {
  serve("f", {});
  for (int number = 0; number < 20; ++number) must_accept("f", std::to_string(number));
  ASSERT_TRUE(are_gone());
  ASSERT_TRUE(run_until([&] { return queue().events_of("f").under_way == 0; }));
  EXPECT_EQ(fates["f"], (std::map<EventFate, int>{{accepted, 20}, {delivered, 20}}));
  EXPECT_EQ(machine.calls, 20U);
  close();
  open({});
  EXPECT_EQ(queue().waiting(), 0U) << "nothing of them is left on the disk";
}

TEST_F(EventQueues, TryAgainAndThenGiveUp) {
  serve("f", {.events = {.retries = 2, .delay = 5ms}});
  must_accept("f", "\"raise\"");
  ASSERT_TRUE(are_gone());
  EXPECT_EQ(fates["f"], (std::map<EventFate, int>{{accepted, 1}, {postponed, 2}, {dead, 1}}));
  EXPECT_EQ(machine.calls, 3U);
  const auto letters = of(queue().dead_letters("f", 10));
  ASSERT_TRUE(letters.has_value() && letters->size() == 1);
  EXPECT_EQ(letters->front().outcome, "raised");
  EXPECT_EQ(letters->front().event.attempts, 3U);
}

TEST_F(EventQueues, ReviveDeadLetters) {
  serve("f", {.events = {.retries = 0}});
  must_accept("f", "\"raise\"");
  must_accept("f", "\"raise\"");
  ASSERT_TRUE(are_gone());
  const auto revived = of(queue().revive("f"));
  ASSERT_TRUE(revived.has_value());
  EXPECT_EQ(*revived, 2U);
  ASSERT_TRUE(are_gone());
  EXPECT_EQ(fates["f"], (std::map<EventFate, int>{{accepted, 4}, {dead, 4}})) << "they fail again";
  ASSERT_TRUE(of(queue().forget_dead("f")).has_value());
  EXPECT_EQ(of(queue().dead_letters("f", 10)).value().size(), 0U);
}

TEST_F(EventQueues, RefuseWhatCannotBeKept) {
  serve("f", {});
  EXPECT_EQ(accept("f", "no JSON").error().code, Errc::invalid_spec);
  EXPECT_EQ(accept("f", std::string(most_event, ' ') + "1").error().code, Errc::invalid_spec);
  queue().close();
  EXPECT_EQ(accept("f", "1").error().code, Errc::closed);
  EXPECT_EQ(queue().waiting(), 0U);
}

TEST_F(EventQueues, HaveNoMorePlacesThanTheyAreGiven) {
  close();
  machine.is_open = false;
  open({.waiting = 3, .bytes = 40});
  serve("f", {});
  EXPECT_EQ(accept("f", '"' + std::string(40, 'x') + '"').error().code, Errc::exhausted);
  for (int number = 0; number < 3; ++number) must_accept("f", "\"wait\"");
  EXPECT_EQ(accept("f", "1").error().code, Errc::exhausted) << "three wait, under way or not";
  machine.open_gate();
  ASSERT_TRUE(are_gone());
  must_accept("f", '"' + std::string(28, 'x') + '"');
  ASSERT_TRUE(are_gone());
}

TEST_F(EventQueues, KeepAQuarterOfAllPlacesForOtherFunctions) {
  close();
  machine.is_open = false;
  open({.waiting = 8});
  for (const auto* name : {"f", "g"}) serve(name, {});
  for (int number = 0; number < 6; ++number) must_accept("f", "\"wait\"");
  EXPECT_EQ(accept("f", "1").error().code, Errc::exhausted);
  for (int number = 0; number < 2; ++number) must_accept("g", "\"wait\"");
  EXPECT_EQ(accept("g", "1").error().code, Errc::exhausted) << "now there is none at all";
}

TEST_F(EventQueues, LeavePlacesToOtherFunctions) {
  close();
  machine.is_open = false;
  open({.at_once = 8});
  serve("f", {});
  serve("narrow", {.concurrency = 1});
  for (int number = 0; number < 6; ++number) must_accept("f", "\"wait\"");
  for (int number = 0; number < 3; ++number) must_accept("narrow", "\"wait\"");
  ASSERT_TRUE(run_until([&] { return machine.at_once == 3; }));
  run_ready();
  EXPECT_EQ(queue().events_of("f").under_way, 2U) << "a quarter of all places";
  EXPECT_EQ(queue().events_of("narrow").under_way, 1U) << "no more than it has instances";
  EXPECT_EQ(queue().events_of("f").waiting, 4U);
  machine.open_gate();
  ASSERT_TRUE(are_gone());
  EXPECT_EQ(machine.most_at_once, 3U);
  EXPECT_EQ(fates["f"][delivered], 6);
  EXPECT_EQ(fates["narrow"][delivered], 3);
}

TEST_F(EventQueues, DeliverAfterTheNextStartWhatWaitedAtTheEnd) {
  serve("f", {.concurrency = 1});
  for (int number = 0; number < 4; ++number) must_accept("f", "\"wait\"");
  ASSERT_TRUE(run_until([&] { return machine.at_once == 1; }));
  close();
  EXPECT_EQ(fates["f"], (std::map<EventFate, int>{{accepted, 4}, {delivered, 1}}))
      << "what was under way has ended, and no other has begun";
  open({});
  EXPECT_EQ(queue().waiting(), 3U);
  ASSERT_TRUE(are_gone());
  EXPECT_EQ(fates["f"], (std::map<EventFate, int>{{accepted, 4}, {delivered, 4}}));
  EXPECT_EQ(machine.calls, 4U);
}

TEST_F(EventQueues, KeepWhatTheFunctionHasNotSeen) {
  serve("f", {.events = {.retries = 0}});
  machine.refuse("f");
  must_accept("f", "1");
  ASSERT_TRUE(run_until([&] { return fates["f"][postponed] == 1; }));
  EXPECT_EQ(queue().waiting(), 1U) << "it does not count as an attempt";
  EXPECT_EQ(fates["f"][dead], 0);
  EXPECT_EQ(machine.calls, 0U);
}

TEST_F(EventQueues, GiveUpWhatWaitsForAFunctionThatIsRemoved) {
  serve("f", {.concurrency = 1});
  for (int number = 0; number < 3; ++number) must_accept("f", "\"wait\"");
  ASSERT_TRUE(run_until([&] { return machine.at_once == 1; }));
  of(as_done(queue().withdraw("f")));
  EXPECT_EQ(fates["f"][dead], 2);
  machine.open_gate();
  ASSERT_TRUE(are_gone());
  EXPECT_EQ(fates["f"][delivered], 1) << "the one that was under way";
  const auto letters = of(queue().dead_letters("f", 10));
  ASSERT_TRUE(letters.has_value() && letters->size() == 2);
  EXPECT_EQ(letters->front().outcome, "unknown_function");
}

}  // namespace
}  // namespace sockd
