// Deadlines that somebody has asked for.

#include <gtest/gtest.h>

#include "sys/process.hpp"

namespace sock::sys {
namespace {

using namespace std::chrono_literals;

TEST(Deadline, IsSoMuchLater) {
  const auto before = std::chrono::steady_clock::now();
  const auto deadline = deadline_in(1500ms);
  EXPECT_GE(deadline, before + 1500ms);
  EXPECT_LE(deadline, std::chrono::steady_clock::now() + 1500ms);
  EXPECT_LT(deadline_in(-1s), before);
}

TEST(Deadline, IsTheEndOfTimeForWhatIsBeyondIt) {
  EXPECT_EQ(deadline_in(std::chrono::milliseconds::max()), Deadline::max());
}

}  // namespace
}  // namespace sock::sys
