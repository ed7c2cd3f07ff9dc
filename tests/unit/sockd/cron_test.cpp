// Times of schedules.

#include "sockd/cron.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace sockd {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;

constexpr Cron::Time start = sys_days{2026y / 11 / 27} + 10h + 30min;  // A Friday.

std::vector<Cron::Time> next_of(std::string_view text, int count) {
  std::vector<Cron::Time> times;
  const auto cron = Cron::parse(text);
  EXPECT_TRUE(cron.has_value()) << text << ": " << cron.error().message();
  if (!cron.has_value()) return times;
  for (auto time = cron->next(start); time && count-- > 0; time = cron->next(*time))
    times.push_back(*time);
  return times;
}

TEST(Cron, GoesFromTimeToTime) {
  const sys_days today = 2026y / 11 / 27;
  EXPECT_EQ(next_of("* * * * *", 2), (std::vector<Cron::Time>{start + 1min, start + 2min}));
  EXPECT_EQ(next_of("*/20 * * * *", 3),
            (std::vector<Cron::Time>{today + 10h + 40min, today + 11h, today + 11h + 20min}));
  EXPECT_EQ(next_of("5,10-12 11 * * *", 4),
            (std::vector<Cron::Time>{today + 11h + 5min, today + 11h + 10min, today + 11h + 11min,
                                     today + 11h + 12min}));
  EXPECT_EQ(next_of("7/25 10 * * *", 2),
            (std::vector<Cron::Time>{today + 10h + 32min, today + 10h + 57min}));
  EXPECT_EQ(next_of("@daily", 1).front(), sys_days{2026y / 11 / 28});
}

TEST(Cron, KnowsDaysByNumberAndName) {
  EXPECT_EQ(
      next_of("0 9 * * mon-wed", 2),
      (std::vector<Cron::Time>{sys_days{2026y / 11 / 30} + 9h, sys_days{2026y / 12 / 1} + 9h}));
  EXPECT_EQ(next_of("0 0 * * 7", 1), next_of("0 0 * * Sun", 1));
  EXPECT_EQ(next_of("0 0 1 JAN *", 1).front(), sys_days{2027y / 1 / 1});
  EXPECT_EQ(next_of("0 0 29 2 *", 1).front(), sys_days{2028y / 2 / 29}) << "a leap day";
  EXPECT_EQ(next_of("0 0 13 * fri", 3),
            (std::vector<Cron::Time>{sys_days{2026y / 12 / 4}, sys_days{2026y / 12 / 11},
                                     sys_days{2026y / 12 / 13}}))
      << "either of them";
  EXPECT_EQ(next_of("0 0 31 * *", 2),
            (std::vector<Cron::Time>{sys_days{2026y / 12 / 31}, sys_days{2027y / 1 / 31}}));
}

TEST(Cron, RefusesWhatIsNoTime) {
  for (const char* const text :
       {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *",
        "* * * * 8", "*/0 * * * *", "5-1 * * * *", "a * * * *", "1, * * * *", "-1 * * * *",
        "* * * fri *", "1-2-3 * * * *", "@often", "99999999999 * * * *"})
    EXPECT_FALSE(Cron::parse(text).has_value()) << text;
  const auto never = Cron::parse("0 0 30 2 *");
  ASSERT_FALSE(never.has_value());
  EXPECT_NE(never.error().subject.find("never"), std::string::npos);
}

TEST(Cron, HasNoStepBackwards) {
  EXPECT_EQ(next_of("5-59/4294967295 * * * *", 2),
            (std::vector<Cron::Time>{start + 35min, start + 95min}));
}

}  // namespace
}  // namespace sockd
