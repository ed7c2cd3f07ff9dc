// Programs are written from their end to their beginning: BPF jumps forward only, so every target
// exists, at a known distance, when the jump to it is written. Equal answers share one return.

#include "isolation/seccomp/emitter.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <map>
#include <ranges>

#include <linux/audit.h>
#include <linux/seccomp.h>

namespace sock::seccomp {
namespace {

static_assert(std::endian::native == std::endian::little, "the low half comes first");

#if defined(__x86_64__)
constexpr std::uint32_t native_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t native_architecture = AUDIT_ARCH_AARCH64;
#endif

class BackwardCode {
 public:
  /// An instruction's distance from the end. It stays valid while code is put before it.
  using Position = std::size_t;

  /// Goes on at the instruction written before this one.
  Position load(std::size_t offset) {
    return put(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
  }

  Position answer(std::uint32_t value) {
    const auto known = answers_.find(value);
    if (known != answers_.end() && is_near(known->second)) return known->second;
    return answers_[value] = put(BPF_STMT(BPF_RET | BPF_K, value));
  }

  Position branch(std::uint16_t test, std::uint32_t operand, Position yes, Position no) {
    yes = near(yes);
    no = near(no);
    return put(BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), operand,
                        static_cast<std::uint8_t>(distance(yes)),
                        static_cast<std::uint8_t>(distance(no))));
  }

  std::vector<sock_filter> take() && {
    std::ranges::reverse(code_);
    return std::move(code_);
  }

 private:
  /// Conditional jumps carry eight bits. One less, because what near() writes for one target of a
  /// branch moves the other one instruction away.
  static constexpr std::size_t reach = 0xff - 1;

  /// How many instructions a jump written now would skip.
  [[nodiscard]] std::size_t distance(Position target) const { return code_.size() - target - 1; }
  [[nodiscard]] bool is_near(Position target) const { return distance(target) <= reach; }

  /// Where a conditional jump can go instead of to `target`: a copy of an answer, else a long jump.
  Position near(Position target) {
    if (is_near(target)) return target;
    if (code_[target].code == (BPF_RET | BPF_K)) return answer(code_[target].k);
    return put(BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(distance(target))));
  }

  Position put(sock_filter instruction) {
    code_.push_back(instruction);
    return code_.size() - 1;
  }

  std::vector<sock_filter> code_;
  std::map<std::uint32_t, Position> answers_;  ///< The nearest return of each value.
};

using Position = BackwardCode::Position;

/// `held` when the condition holds, else `failed`.
Position emit_condition(BackwardCode& code, const Condition& condition, Position held,
                        Position failed) {
  const bool equals = condition.test == Condition::Test::equals;
  code.branch(equals ? BPF_JEQ : BPF_JSET, condition.operand, held, failed);
  return code.load(offsetof(seccomp_data, args) + condition.argument * sizeof(std::uint64_t));
}

Position emit_leaf(BackwardCode& code, const Range& range) {
  Position next = code.answer(range.answer);
  for (const ArgumentCase& one : range.cases | std::views::reverse) {
    Position held = code.answer(return_value(one.verdict));
    for (const Condition& condition : one.conditions | std::views::reverse)
      held = emit_condition(code, condition, held, next);
    next = held;
  }
  return next;
}

/// Expects the number in the accumulator.
Position emit_search(BackwardCode& code, std::span<const Range> ranges) {
  if (ranges.size() == 1) return emit_leaf(code, ranges.front());
  const std::size_t middle = ranges.size() / 2;
  const Position upper = emit_search(code, ranges.subspan(middle));
  const Position lower = emit_search(code, ranges.first(middle));
  return code.branch(BPF_JGE, ranges[middle].first, upper, lower);
}

}  // namespace

std::vector<sock_filter> emit(std::span<const Range> ranges) {
  BackwardCode code;
  emit_search(code, ranges);  // it is entered at the instruction that it writes last
  const Position native = code.load(offsetof(seccomp_data, nr));
  code.branch(BPF_JEQ, native_architecture, native, code.answer(SECCOMP_RET_KILL_PROCESS));
  code.load(offsetof(seccomp_data, arch));
  return std::move(code).take();
}

}  // namespace sock::seccomp
