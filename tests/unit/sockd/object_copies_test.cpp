// What a machine has of objects that are kept elsewhere.

#include "sockd/object_copies.hpp"

#include <gtest/gtest.h>

#include "sockd/sealed_memory.hpp"

namespace sockd {
namespace {

using namespace std::chrono_literals;
using sock::Errc;

constexpr ObjectCopies::Time start{};
constexpr DataQuota quota{.bytes = 100, .entries = 3, .time_to_live = 1h};

ObjectVersion object(const char* name, const char* version = "1", const char* application = "a") {
  return {.of = {.application = application, .name = name}, .version = version};
}

/// What the one who has caused this has.
sock::UniqueFd bring(ObjectCopies& copies, const ObjectVersion& which, std::uint64_t size,
                     ObjectCopies::Time now = start) {
  EXPECT_TRUE(copies.expect(which, size, now).has_value());
  return copies.arrived(which, seal("content").value()).value();
}

TEST(ObjectCopies, AreThereAgain) {
  ObjectCopies copies{quota};
  EXPECT_FALSE(copies.find(object("x"), start).has_value());
  bring(copies, object("x"), 10);
  const auto found = copies.find(object("x"), start);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(read_sealed(*found, 100).value(), "content");
  EXPECT_FALSE(copies.find(object("x", "2"), start).has_value());
  EXPECT_FALSE(copies.find(object("x", "1", "b"), start).has_value());
  EXPECT_EQ(copies.bytes("a"), 10U);
}

TEST(ObjectCopies, CountFromWhenTheyAreExpected) {
  ObjectCopies copies{quota};
  ASSERT_TRUE(copies.expect(object("x"), 60, start).has_value());
  EXPECT_FALSE(copies.find(object("x"), start).has_value());
  EXPECT_EQ(copies.expect(object("y"), 41, start).error().code, Errc::exhausted);
  EXPECT_TRUE(copies.expect(object("y", "1", "b"), 100, start).has_value());
  copies.abandon(object("x"));
  EXPECT_EQ(copies.bytes("a"), 0U);
  EXPECT_TRUE(copies.expect(object("y"), 41, start).has_value());
}

// One that cannot be opened, for want of descriptors, is fetched again.
TEST(ObjectCopies, CountOnce) {
  ObjectCopies copies{quota};
  bring(copies, object("x"), 10);
  bring(copies, object("x"), 10);
  EXPECT_EQ(copies.bytes("a"), 10U);
  copies.abandon(object("x"));
  EXPECT_EQ(copies.bytes("a"), 0U);
}

TEST(ObjectCopies, GoWhenNobodyAsks) {
  ObjectCopies copies{quota};
  bring(copies, object("x"), 10);
  bring(copies, object("x", "1", "b"), 10);
  auto kept = bring(copies, object("x", "1", "c"), 10);
  EXPECT_TRUE(copies.find(object("x"), start + 50s).has_value());
  EXPECT_TRUE(copies.find(object("x"), start + 100s).has_value());
  EXPECT_EQ(copies.bytes("b"), 0U) << "of every application, whoever asks";
  EXPECT_EQ(copies.bytes("c"), 10U) << "somebody has it";
  kept.reset();
  EXPECT_FALSE(copies.find(object("x"), start + 200s).has_value());
  EXPECT_EQ(copies.bytes("c"), 0U) << "nobody has it";
}

TEST(ObjectCopies, MakeRoomWhereNobodyHasThem) {
  ObjectCopies copies{quota};
  auto first = bring(copies, object("1"), 40);
  bring(copies, object("2"), 40, start + 1s);
  bring(copies, object("3"), 40, start + 2s);
  EXPECT_FALSE(copies.find(object("2"), start + 2s).has_value()) << "the last of them stay";
  auto third = copies.find(object("3"), start + 3s);
  ASSERT_TRUE(third.has_value());
  EXPECT_EQ(copies.expect(object("4"), 40, start + 3s).error().code, Errc::exhausted);
  EXPECT_EQ(copies.expect(object("4"), 101, start + 3s).error().code, Errc::exhausted);
  EXPECT_EQ(copies.bytes("a"), 80U);
  first.reset();
  EXPECT_TRUE(copies.expect(object("4"), 40, start + 3s).has_value());
  EXPECT_TRUE(copies.expect(object("5"), 0, start + 3s).has_value());
  EXPECT_EQ(copies.expect(object("6"), 0, start + 3s).error().code, Errc::exhausted) << "too many";
}

}  // namespace
}  // namespace sockd
