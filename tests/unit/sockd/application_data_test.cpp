// Objects and counters of an application.

#include "sockd/application_data.hpp"

#include <gtest/gtest.h>

#include "sockd/sealed_memory.hpp"

namespace sockd {
namespace {

using namespace std::chrono_literals;
using sock::Errc;

constexpr ApplicationData::Time start{};
constexpr DataQuota quota{.bytes = 100, .entries = 3, .time_to_live = 1h};

sock::UniqueFd some_file() {
  return open_again(seal("some").value()).value();
}

TEST(Objects, AreWrittenOnce) {
  ApplicationData data{quota};
  ASSERT_TRUE(data.put("a", some_file(), 60, 10s, start).has_value());
  EXPECT_TRUE(data.get("a", start).has_value());
  EXPECT_EQ(data.put("a", some_file(), 1, 10s, start).error().code, Errc::exists);
  EXPECT_EQ(data.get("b", start).error().code, Errc::not_found);
  EXPECT_TRUE(data.remove("a", start));
  EXPECT_FALSE(data.remove("a", start));
  data.forget_old(start);
  EXPECT_EQ(data.bytes(), 0U);
  EXPECT_TRUE(data.put("a", some_file(), 1, 10s, start).has_value());
}

TEST(Objects, GiveTheirMemoryBackInTime) {
  ApplicationData data{quota};
  ASSERT_TRUE(data.put("a", some_file(), 60, 10s, start).has_value());
  ASSERT_TRUE(data.add("n", 1, 20s, start).has_value());
  data.forget_old(start + 10s);
  EXPECT_EQ(data.objects(), 0U);
  EXPECT_EQ(data.bytes(), 0U);
  EXPECT_FALSE(data.is_empty());
  data.forget_old(start + 20s);
  EXPECT_TRUE(data.is_empty());
}

TEST(Objects, CountWhileSomebodyHasThem) {
  ApplicationData data{quota};
  ASSERT_TRUE(data.put("a", some_file(), 60, 10s, start).has_value());
  ASSERT_TRUE(data.put("b", some_file(), 40, 10s, start).has_value());
  auto removed = open_again(data.get("a", start).value());
  auto old = open_again(data.get("b", start).value());
  ASSERT_TRUE(removed.has_value() && old.has_value());
  EXPECT_TRUE(data.remove("a", start));
  EXPECT_EQ(data.put("c", some_file(), 1, 10s, start).error().code, Errc::exhausted);
  data.forget_old(start + 10s);
  EXPECT_EQ(data.objects(), 0U);
  EXPECT_EQ(data.bytes(), 100U);
  EXPECT_FALSE(data.is_empty());
  removed->reset();
  EXPECT_TRUE(data.put("c", some_file(), 60, 10s, start + 10s).has_value());
  EXPECT_EQ(data.bytes(), 100U);
  EXPECT_EQ(data.put("d", some_file(), 1, 10s, start + 10s).error().code, Errc::exhausted);
  old->reset();
  data.forget_old(start + 20s);
  EXPECT_TRUE(data.is_empty());
}

TEST(Objects, HaveAQuota) {
  ApplicationData data{quota};
  ASSERT_TRUE(data.put("a", some_file(), 60, 10s, start).has_value());
  EXPECT_EQ(data.put("b", some_file(), 41, 10s, start).error().code, Errc::exhausted);
  ASSERT_TRUE(data.put("b", some_file(), 40, 10s, start).has_value());
  ASSERT_TRUE(data.put("c", some_file(), 0, 10s, start).has_value());
  EXPECT_EQ(data.put("d", some_file(), 0, 10s, start).error().code, Errc::exhausted);
  EXPECT_EQ(data.put("", some_file(), 0, 10s, start).error().code, Errc::invalid_spec);
  EXPECT_EQ(data.put(std::string(257, 'x'), some_file(), 0, 10s, start).error().code,
            Errc::invalid_spec);
}

TEST(Objects, End) {
  ApplicationData data{quota};
  ASSERT_TRUE(data.put("a", some_file(), 60, 10s, start).has_value());
  ASSERT_TRUE(data.put("b", some_file(), 40, 100h, start).has_value());
  ASSERT_TRUE(data.put("c", some_file(), 0, -5s, start).has_value());
  EXPECT_TRUE(data.get("a", start + 9s).has_value());
  EXPECT_FALSE(data.get("c", start + 1s).has_value()) << "at once";
  EXPECT_FALSE(data.get("a", start + 10s).has_value());
  data.forget_old(start + 10s);
  EXPECT_EQ(data.bytes(), 40U);
  EXPECT_FALSE(data.get("b", start + 1h).has_value()) << "at most the quota's time";
}

TEST(Counters, Count) {
  ApplicationData data{quota};
  EXPECT_EQ(data.add("a", 5, 10s, start).value(), 5);
  EXPECT_EQ(data.add("a", -7, 10s, start + 9s).value(), -2);
  EXPECT_EQ(data.add("a", 1, 10s, start + 18s).value(), -1) << "adding prolongs its life";
  EXPECT_EQ(data.add("a", 1, 10s, start + 28s).value(), 1) << "a new one";
  EXPECT_EQ(data.add("a", std::numeric_limits<std::int64_t>::max(), 10s, start + 28s).error().code,
            Errc::invalid_spec);
  EXPECT_EQ(data.add("a", 0, 10s, start + 28s).value(), 1) << "as before";
  ASSERT_TRUE(data.add("b", 0, 10s, start + 28s).has_value());
  ASSERT_TRUE(data.add("c", 0, 10s, start + 28s).has_value());
  EXPECT_EQ(data.add("d", 0, 10s, start + 28s).error().code, Errc::exhausted);
}

}  // namespace
}  // namespace sockd
