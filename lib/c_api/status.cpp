// Deadlines and exit statuses of the C interface.

#include "c_api/status.hpp"

namespace sock::c_api {

static_assert(SOCK_EXITED == static_cast<int>(ExitStatus::Kind::exited) + 1);
static_assert(SOCK_TIME_LIMIT == static_cast<int>(ExitStatus::Kind::timed_out) + 1);
static_assert(SOCK_LOST == static_cast<int>(ExitStatus::Kind::lost) + 1);

std::chrono::steady_clock::time_point deadline_in(std::uint64_t timeout_ms) noexcept {
  using Clock = std::chrono::steady_clock;
  const auto now = Clock::now();
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::time_point::max() - now);
  if (timeout_ms >= static_cast<std::uint64_t>(left.count())) return Clock::time_point::max();
  return now + std::chrono::milliseconds{timeout_ms};
}

sock_exit_status to_status(const std::optional<ExitStatus>& status) noexcept {
  sock_exit_status result{};
  if (!status) return result;  // SOCK_RUNNING
  result.kind = static_cast<int>(status->kind) + 1;
  result.value = status->value;
  return result;
}

}  // namespace sock::c_api
