// The search by itself, on tables that no profile resembles. The evaluator throws on a jump that
// leaves the program, so an eight-bit distance that overflowed shows as a wrong answer or as that.

#include "isolation/seccomp/emitter.hpp"

#include <cerrno>
#include <map>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "bpf_evaluator.hpp"
#include "isolation/seccomp/ranges.hpp"
#include "profile_reader.hpp"

namespace sock::test {
namespace {

using Table = std::vector<int>;  // number to errno; 0: allowed
using Rules = std::map<int, seccomp::Rule>;

Rules rules_of(const Table& table) {
  Rules rules;
  for (std::size_t number = 0; number < table.size(); ++number)
    rules[static_cast<int>(number)] = {.otherwise = {table[number]}};
  return rules;
}

Table random_table(std::mt19937& random, int highest_errno, std::size_t longest_run) {
  Table table;
  while (table.size() < 512)
    table.insert(table.end(), 1 + random() % longest_run,
                 static_cast<int>(random() % static_cast<unsigned>(highest_errno + 1)));
  return table;
}

BpfEvaluator program_of(const Rules& rules) {
  return BpfEvaluator{seccomp::emit(seccomp::ranges_of(rules))};
}

void expect_answers_of(const Table& table, BpfEvaluator filter) {
  for (std::size_t number = 0; number < table.size(); ++number)
    ASSERT_EQ(filter.run(call_of(static_cast<int>(number))), kernel_form({table[number]}))
        << number;
  const auto end = static_cast<int>(table.size());
  for (const int beyond : {end, end + 1, 0x3fff'ffff, -1})
    ASSERT_EQ(filter.run(call_of(beyond)), refused_with(ENOSYS)) << beyond;
  seccomp_data foreign = call_of(0);
  foreign.arch = AUDIT_ARCH_PPC64;
  ASSERT_EQ(filter.run(foreign), SECCOMP_RET_KILL_PROCESS);
}

TEST(SeccompEmitter, AnswersEveryNumberOfRandomTables) {
  std::mt19937 random{20180901};
  for (const int highest_errno : {1, 3, 40, 4095})
    for (const std::size_t longest_run : {1, 2, 10, 100})
      for (int round = 0; round < 5; ++round) {
        const Table table = random_table(random, highest_errno, longest_run);
        expect_answers_of(table, program_of(rules_of(table)));
      }
}

TEST(SeccompEmitter, ReachesEveryAnswerOfAlternatingVerdicts) {
  Table two(512);
  Table all_different(512);
  for (std::size_t number = 0; number < two.size(); ++number) {
    two[number] = number % 2 == 0 ? 0 : EPERM;
    all_different[number] = static_cast<int>(number) + 1000;
  }
  const BpfEvaluator alternating = program_of(rules_of(two));
  EXPECT_LE(alternating.size(), 512U + 30U) << "a jump per boundary and some copies of answers";
  expect_answers_of(two, alternating);
  const BpfEvaluator different = program_of(rules_of(all_different));
  EXPECT_LE(different.size(), 2U * 512U + 30U);
  expect_answers_of(all_different, different);
}

TEST(SeccompEmitter, AnswersWithTheDefaultWhenThereAreNoRules) {
  expect_answers_of({}, program_of({}));
  BpfEvaluator single{seccomp::emit(std::vector<seccomp::Range>{{0, SECCOMP_RET_ALLOW}})};
  EXPECT_EQ(single.run(call_of(7)), SECCOMP_RET_ALLOW);
}

// Tables whose every second call has cases: far longer than any profile, so that both the checks
// and the answers they share lie beyond the reach of conditional jumps.
TEST(SeccompEmitter, ChecksArgumentsHoweverFarTheAnswersAre) {
  using enum seccomp::Condition::Test;
  static constexpr seccomp::Condition both[] = {{0, equals, 7}, {5, has_any_bit, 6}};
  static constexpr seccomp::Condition one[] = {{2, equals, 9}};
  static constexpr seccomp::ArgumentCase cases[] = {{both, {ESRCH}}, {one, {}}};
  Rules rules;
  for (int number = 0; number < 400; ++number)
    rules[number] = {
        .cases = number % 2 == 0 ? std::span{cases} : std::span<const seccomp::ArgumentCase>{},
        .otherwise = {1 + number % 5}};
  BpfEvaluator filter = program_of(rules);
  for (int number = 0; number < 400; ++number) {
    const std::uint32_t otherwise = refused_with(1 + number % 5);
    const bool has_cases = number % 2 == 0;
    const auto run = [&](std::uint64_t a, std::uint64_t c, std::uint64_t f) {
      return filter.run(call_of(number, {a, 0, c, 0, 0, f}));
    };
    ASSERT_EQ(run(7, 9, 4), has_cases ? refused_with(ESRCH) : otherwise) << number;
    ASSERT_EQ(run(7, 9, 8), has_cases ? std::uint32_t{SECCOMP_RET_ALLOW} : otherwise) << number;
    ASSERT_EQ(run(6, 9, 2), has_cases ? std::uint32_t{SECCOMP_RET_ALLOW} : otherwise) << number;
    ASSERT_EQ(run(7, 8, 8), otherwise) << number;
  }
}

TEST(SeccompEmitter, SearchesInLogarithmicTime) {
  Table table(512);
  for (std::size_t number = 0; number < table.size(); ++number)
    table[number] = static_cast<int>(number % 2);
  for (std::size_t number = 0; number < table.size(); ++number) {
    BpfEvaluator filter = program_of(rules_of(table));
    filter.run(call_of(static_cast<int>(number)));
    const std::size_t executed = filter.size() - filter.never_executed().size();
    // Two loads, the architecture, ten comparisons, long jumps, the answer.
    ASSERT_LE(executed, 18U) << number;
  }
}

TEST(SeccompRanges, MergeEqualNeighboursAndNothingElse) {
  static constexpr seccomp::Condition condition[] = {{0, seccomp::Condition::Test::equals, 1}};
  static constexpr seccomp::ArgumentCase cases[] = {{condition, seccomp::refused}};
  const Rules rules = {{2, {.otherwise = seccomp::allowed}},
                       {3, {.otherwise = seccomp::allowed}},
                       {4, {.cases = cases, .otherwise = seccomp::allowed}},
                       {5, {.otherwise = seccomp::allowed}},
                       {7, {.otherwise = seccomp::unknown}},
                       {8, {.otherwise = seccomp::refused}}};
  std::vector<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (const seccomp::Range& range : seccomp::ranges_of(rules)) {
    EXPECT_EQ(range.cases.empty(), range.first != 4);
    seen.emplace_back(range.first, range.answer);
  }
  const std::uint32_t absent = refused_with(ENOSYS);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> expected = {{0, absent},
                                                                   {2, SECCOMP_RET_ALLOW},
                                                                   {4, SECCOMP_RET_ALLOW},
                                                                   {5, SECCOMP_RET_ALLOW},
                                                                   {6, absent},
                                                                   {8, refused_with(EPERM)},
                                                                   {9, absent}};
#if defined(__x86_64__)
  expected.insert(expected.end(), {{0x4000'0000, SECCOMP_RET_KILL_PROCESS}, {0xffff'ffff, absent}});
#endif
  EXPECT_EQ(seen, expected);
}

}  // namespace
}  // namespace sock::test
