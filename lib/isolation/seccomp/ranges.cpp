// Ranges are appended in ascending order; one that continues its predecessor vanishes in it.

#include "isolation/seccomp/ranges.hpp"

#include <linux/seccomp.h>

namespace sock::seccomp {
namespace {

class Ranges {
 public:
  void append(Range next) {
    if (!ranges_.empty() && continues(ranges_.back(), next)) return;
    ranges_.push_back(next);
  }
  std::vector<Range> take() && { return std::move(ranges_); }

 private:
  static bool continues(const Range& last, const Range& next) {
    return last.cases.empty() && next.cases.empty() && last.answer == next.answer;
  }

  std::vector<Range> ranges_;
};

}  // namespace

std::uint32_t return_value(Verdict verdict) noexcept {
  if (verdict == allowed) return SECCOMP_RET_ALLOW;
  return SECCOMP_RET_ERRNO |
         (static_cast<std::uint32_t>(verdict.sys_errno) & std::uint32_t{SECCOMP_RET_DATA});
}

std::vector<Range> ranges_of(const std::map<int, Rule>& rules) {
  const std::uint32_t by_default = return_value(unknown);
  Ranges ranges;
  std::uint32_t next = 0;
  for (const auto& [signed_number, rule] : rules) {
    const auto number = static_cast<std::uint32_t>(signed_number);
    if (number > next) ranges.append({.first = next, .answer = by_default});
    ranges.append({.first = number, .answer = return_value(rule.otherwise), .cases = rule.cases});
    next = number + 1;
  }
  ranges.append({.first = next, .answer = by_default});
#if defined(__x86_64__)
  // KERNEL: x32 entries carry this bit. -1 is no x32 call: tracers write it to skip a call.
  ranges.append({.first = 0x4000'0000, .answer = SECCOMP_RET_KILL_PROCESS});
  ranges.append({.first = 0xffff'ffff, .answer = by_default});
#endif
  return std::move(ranges).take();
}

}  // namespace sock::seccomp
