#pragma once

// What the driver tells the test, and where it waits for it. Exit codes are part of that.

#include <string>

#include "sock/result.hpp"

namespace sock::test {

enum ExitCode { succeeded = 0, misused = 2, failed = 3, leaked = 4 };

void say(const std::string& line);

/// Says "error STAGE: message"; the exit code for it.
int fail(const Error& error);

template <class T>
int code_of(const Result<T>& result) {
  return result ? succeeded : fail(result.error());
}

/// Says "gate" and waits for SIGUSR1, which must be blocked.
void wait_at_gate();

}  // namespace sock::test
