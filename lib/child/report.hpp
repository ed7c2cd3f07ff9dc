#pragma once

// How the child keeps account of its steps: the time that each took, and the one that failed. For
// lib/child alone; static, so that each of its objects has its own and the linker no choice.

#include <time.h>

#include "child/plan.hpp"

namespace sock::child {

static inline std::int64_t now(const Plan& plan) noexcept {
  timespec time{};
  // CHILD-SAFE: the vDSO touches nothing but its own page.
  if (plan.clock == nullptr || plan.clock(CLOCK_MONOTONIC, &time) != 0)
    sys::raw::call(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

/// Books the time since the last mark on `stage`.
static inline void mark(const Plan& plan, Stage stage) noexcept {
  Report& report = *plan.report;
  const std::int64_t time = now(plan);
  report.elapsed[static_cast<std::size_t>(stage)] += time - report.last_mark;
  report.last_mark = time;
}

[[noreturn]] static inline void end(int status) noexcept {
  for (;;) sys::raw::call(SYS_exit_group, status);
}

[[noreturn]] static inline void fail(const Plan& plan, Stage stage, long result,
                                     std::uint32_t index = 0) noexcept {
  Report& report = *plan.report;
  report.failed = stage;
  report.sys_errno = static_cast<std::int32_t>(-result);
  report.index = index;
  if (report.socket >= 0) sys::raw::call(SYS_write, report.socket, &report, sizeof report);
  end(127);
}

/// Most steps: go on, or report the stage and end.
static inline void check(const Plan& plan, Stage stage, long result,
                         std::uint32_t index = 0) noexcept {
  if (result < 0) fail(plan, stage, result, index);
}

}  // namespace sock::child
