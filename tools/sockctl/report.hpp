#pragma once

// What sockctl tells people and shells: one line for an error, and the exit status.

#include <chrono>
#include <string>
#include <string_view>

#include "sock/container.hpp"
#include "sock/spec.hpp"

#include "try.hpp"

namespace sockctl {

namespace exit_status {
inline constexpr int usage = 2;
inline constexpr int timed_out = 124;
inline constexpr int own_error = 125;
inline constexpr int cannot_execute = 126;
inline constexpr int not_found = 127;
inline constexpr int signal_base = 128;
}  // namespace exit_status

/// What a shell would say of a payload that ended like this.
int exit_code(const sock::ExitStatus& status);
/// 127 and 126 when it was execve() that failed, 125 otherwise.
int exit_code(const Error& error);
/// "what: why; hint", without a newline.
std::string describe(const Error& error);
/// "64.0 MiB"
std::string human_size(std::uint64_t bytes);
/// "2026-11-26 02:22:56", in UTC.
std::string time_text(std::chrono::system_clock::time_point time);

/// "sockctl: TEXT" on stderr.
void complain(std::string_view text);
/// Complains, and gives the exit status.
int fail(const Error& error);
int fail_usage(const Error& error);
/// Of a whole verb: 0, or complains of a mistake on the command line (2) or of a failure.
int finish(const Result<>& done);
/// For a payload that was killed for a limit, one line that says so.
void explain_end(const std::string& name, const sock::ExitStatus& status);

}  // namespace sockctl
