#pragma once

// Deadlines and exit statuses, as containers and further processes share them.

#include <chrono>
#include <optional>

#include "sock/container.hpp"
#include "sock/sock.h"

namespace sock::c_api {

/// Saturates: a timeout beyond the clock's end is no timeout.
[[nodiscard]] std::chrono::steady_clock::time_point deadline_in(std::uint64_t timeout_ms) noexcept;
/// Empty: it still runs.
[[nodiscard]] sock_exit_status to_status(const std::optional<ExitStatus>& status) noexcept;

}  // namespace sock::c_api
