// The report of a forked child, which may be hostile: what could not be true is refused.

#include "zygote/report.hpp"

#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace sock::zygote {
namespace {

constexpr std::int64_t now = 1'000'000'000;

child::Report honest() {
  child::Report report{};
  report.executing = true;
  report.last_mark = now - 1000;
  report.elapsed[static_cast<std::size_t>(Stage::identity)] = 500;
  return report;
}

std::vector<std::byte> bytes_of(const child::Report& report) {
  std::vector<std::byte> bytes(sizeof report);
  std::memcpy(bytes.data(), &report, sizeof report);
  return bytes;
}

bool is_taken(const child::Report& report) {
  return decode_report(bytes_of(report), now).has_value();
}

TEST(ZygoteReport, IsTakenWhenItCouldBeTrue) {
  EXPECT_TRUE(is_taken(honest()));
  child::Report failed = honest();
  failed.executing = false;
  failed.failed = Stage::seccomp;
  EXPECT_TRUE(is_taken(failed));
}

TEST(ZygoteReport, OfAnotherSizeIsRefused) {
  auto bytes = bytes_of(honest());
  bytes.push_back({});
  EXPECT_FALSE(decode_report(bytes, now));
  EXPECT_FALSE(decode_report({}, now));
}

TEST(ZygoteReport, ThatContradictsItselfIsRefused) {
  child::Report report = honest();
  report.failed = Stage::root;
  EXPECT_FALSE(is_taken(report));
  report = honest();
  report.executing = false;
  EXPECT_FALSE(is_taken(report));
}

TEST(ZygoteReport, WithAStageOrABoolThatDoesNotExistIsRefused) {
  child::Report report = honest();
  report.executing = false;
  report.failed = static_cast<Stage>(child::stage_count);
  EXPECT_FALSE(is_taken(report));
  auto bytes = bytes_of(honest());
  bytes[offsetof(child::Report, executing)] = std::byte{2};
  EXPECT_FALSE(decode_report(bytes, now));
}

// The time of the exec is counted from the last mark: from the dawn of time it would overflow.
TEST(ZygoteReport, WithTimesOutsideThePastIsRefused) {
  for (const std::int64_t time :
       {std::int64_t{-1}, now + 1, std::numeric_limits<std::int64_t>::min(),
        std::numeric_limits<std::int64_t>::max()}) {
    child::Report report = honest();
    report.last_mark = time;
    EXPECT_FALSE(is_taken(report)) << time;
    report = honest();
    report.elapsed[0] = time;
    EXPECT_FALSE(is_taken(report)) << time;
  }
}

}  // namespace
}  // namespace sock::zygote
