#pragma once

// Processes of sockctl that outlive the command that started them: this program again, in a session
// of its own. It learns what to do from a pipe and reports on another that it works, or why not.

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "globals.hpp"
#include "posix.hpp"

namespace sockctl {

/// Descriptor of the lock that a background process holds for as long as it lives; 0 brings its
/// input, 1 takes the outcome.
inline constexpr int background_lock_fd = 3;
inline constexpr std::size_t background_input_max = 1U << 20U;

struct Background {
  std::vector<std::string> verb;  ///< What it runs: "monitor".
  std::string state;              ///< The state directory, decided.
  std::string input;              ///< At most background_input_max.
};

/// Starts it and waits until it has reported. The lock is its alone from then on.
/// On failure: what it reported; Errc::closed when it died without a word.
Result<> start_background(const Globals& globals, const Background& background,
                          sock::UniqueFd lock);

/// In the background process, first of all: keeps the lock from being inherited.
Result<> take_over_lock();
/// The signals that end it; others that would are ignored from now on.
Result<sock::UniqueFd> ending_signals();
/// The starting sockctl waits for this. 0 and 1 are /dev/null afterwards.
Result<> report_outcome(const nlohmann::json& outcome);

}  // namespace sockctl
