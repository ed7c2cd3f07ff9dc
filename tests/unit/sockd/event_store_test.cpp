// Events in their file.

#include "sockd/event_store.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace sockd {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr EventTime start{1'000'000s};

class EventStores : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "sock-events-XXXXXX";
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    directory_ = path;
  }
  void TearDown() override { fs::remove_all(directory_); }

  [[nodiscard]] std::string path() const { return directory_ + "/events.db"; }
  [[nodiscard]] EventStore opened() const {
    auto store = EventStore::open(path());
    EXPECT_TRUE(store.has_value()) << store.error().message();
    return std::move(*store);
  }
  static Event event(std::string id, std::string text = "{}") {
    return {.id = std::move(id),
            .function = "f",
            .source = "http",
            .text = text,
            .size = text.size(),
            .accepted = start,
            .due = start,
            .attempts = 0};
  }

  std::string directory_;
};

TEST_F(EventStores, KeepWhatWasAdded) {
  const std::vector<Event> added{event("1", "\"\u00e4\""), event("2", "[1, 2]")};
  { ASSERT_TRUE(opened().add(added).has_value()); }
  auto store = opened();
  auto waiting = store.waiting();
  ASSERT_TRUE(waiting.has_value());
  ASSERT_EQ(waiting->size(), 2U);
  EXPECT_EQ(waiting->front().id, "1");
  EXPECT_EQ(waiting->front().size, 4U) << "bytes, not letters";
  EXPECT_EQ(waiting->front().accepted, start);
  EXPECT_EQ(store.text("2").value(), "[1, 2]");
  EXPECT_EQ(fs::status(path()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(EventStores, AddAllOrNone) {
  auto store = opened();
  ASSERT_TRUE(store.add(std::vector{event("1")}).has_value());
  EXPECT_FALSE(store.add(std::vector{event("2"), event("1")}).has_value());
  EXPECT_EQ(store.waiting()->size(), 1U);
}

TEST_F(EventStores, PostponeAndRemove) {
  auto store = opened();
  ASSERT_TRUE(store.add(std::vector{event("1"), event("2")}).has_value());
  ASSERT_TRUE(store.postpone("1", start + 5s, 3).has_value());
  ASSERT_TRUE(store.remove("2").has_value());
  const auto waiting = store.waiting();
  ASSERT_EQ(waiting->size(), 1U);
  EXPECT_EQ(waiting->front().due, start + 5s);
  EXPECT_EQ(waiting->front().attempts, 3U);
  EXPECT_EQ(store.text("2").error().code, sock::Errc::not_found);
}

TEST_F(EventStores, BuryAndRevive) {
  auto store = opened();
  ASSERT_TRUE(store.add(std::vector{event("1", "[7]"), event("2")}).has_value());
  DeadLetter letter{.event = event("1"), .died = start + 9s, .outcome = "raised", .error = "no"};
  letter.event.attempts = 3;
  ASSERT_TRUE(store.bury(letter).has_value());
  EXPECT_EQ(store.waiting()->size(), 1U);
  const auto dead = store.dead("f", 10);
  ASSERT_EQ(dead->size(), 1U);
  EXPECT_EQ(dead->front().event.id, "1");
  EXPECT_EQ(dead->front().event.size, 3U);
  EXPECT_EQ(dead->front().event.attempts, 3U);
  EXPECT_EQ(dead->front().outcome, "raised");
  EXPECT_TRUE(store.dead("g", 10)->empty());
  const auto revived = store.revive("f", start + 20s);
  ASSERT_EQ(revived->size(), 1U);
  EXPECT_EQ(revived->front().due, start + 20s);
  EXPECT_EQ(store.text("1").value(), "[7]");
  EXPECT_TRUE(store.dead("f", 10)->empty());
}

TEST_F(EventStores, KeepTheLastDeadOnesOfEachFunction) {
  auto store = opened();
  constexpr int more = 5;
  std::vector<Event> events;
  for (int i = 0; i < EventStore::most_dead + more; ++i) events.push_back(event(std::to_string(i)));
  ASSERT_TRUE(store.add(events).has_value());
  for (const auto& each : events)
    ASSERT_TRUE(
        store.bury({.event = each, .died = start, .outcome = "raised", .error = {}}).has_value());
  const auto dead = store.dead("f", 10'000);
  ASSERT_EQ(dead->size(), std::size_t{EventStore::most_dead});
  EXPECT_EQ(dead->back().event.id, std::to_string(more));
  ASSERT_TRUE(store.forget_dead("f").has_value());
  EXPECT_TRUE(store.dead("f", 10)->empty());
}

TEST_F(EventStores, RefuseWhatIsNoDatabase) {
  std::ofstream{path()} << std::string(5000, 'x');
  const auto store = EventStore::open(path());
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code, sock::Errc::corrupt);
  fs::remove(path());
  fs::create_symlink("/etc/passwd", path());
  EXPECT_FALSE(EventStore::open(path()).has_value()) << "a link";
}

}  // namespace
}  // namespace sockd
