// Lines about refused requests.

#include "sockd/refusal_log.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace sockd {
namespace {

using namespace std::chrono_literals;

constexpr RefusalLog::Clock::time_point start{1h};
constexpr RefusalLog::Refusal refusal{.status = 404, .request = "GET /x", .why = "none"};

TEST(RefusalLog, TellsWhatWasRefusedAndWhy) {
  RefusalLog log;
  EXPECT_EQ(log.note(refusal, start), "sockd: refused with 404: GET /x: none\n");
  EXPECT_EQ(log.note({.status = 400, .request = "", .why = "bad\nsecond line"}, start),
            "sockd: refused with 400: no request: bad\n");
}

TEST(RefusalLog, MakesOneShortLineOfAnything) {
  RefusalLog log;
  const std::string request = "GET /a\nsockd: ready" + std::string(100'000, 'x');
  const auto line = log.note({.status = 400, .request = request, .why = request}, start);
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  EXPECT_LT(line.size(), 1000U);
}

TEST(RefusalLog, IsBoundedAndSaysSo) {
  RefusalLog log;
  std::size_t lines = 0;
  for (int i = 0; i < 1000; ++i) lines += log.note(refusal, start).empty() ? 0 : 1;
  EXPECT_EQ(lines, 10U);
  EXPECT_EQ(log.note(refusal, start + 1s),
            "sockd: 990 more requests were refused\nsockd: refused with 404: GET /x: none\n");
  EXPECT_EQ(log.note(refusal, start + 3s), "sockd: refused with 404: GET /x: none\n");
  for (int i = 0; i < 10; ++i) (void)log.note(refusal, start + 3s);
  EXPECT_EQ(log.rest(start + 3s), "");
  EXPECT_EQ(log.rest(start + 5s), "sockd: 1 more requests were refused\n");
  EXPECT_EQ(log.rest(start + 7s), "");
}

}  // namespace
}  // namespace sockd
