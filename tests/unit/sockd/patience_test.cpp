// How long somebody at the other end is waited for.

#include "sockd/patience.hpp"

#include <gtest/gtest.h>

namespace sockd {
namespace {

using namespace std::chrono_literals;

constexpr Patience::Time start{};

TEST(Patience, EndsWhenNothingComes) {
  const Patience patience{start};
  EXPECT_EQ(patience.end(), start + 2s);
}

TEST(Patience, GoesOnWhileMuchPasses) {
  Patience patience{start};
  patience.passed(8U << 20U, start + 500ms);
  EXPECT_EQ(patience.end(), start + 2500ms) << "two seconds after the last byte";
  patience.passed(80U << 20U, start + 9s);
  EXPECT_EQ(patience.end(), start + 11s);
}

TEST(Patience, EndsWhereLittleTricklesIn) {
  Patience patience{start};
  for (auto now = start; now < start + 10s; now += 1s) patience.passed(1, now);
  EXPECT_EQ(patience.end(), start + 2s);
}

}  // namespace
}  // namespace sockd
