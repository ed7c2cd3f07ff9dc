#pragma once

// From errno to Error. Only lib/sys knows errno; everybody above sees values.

#include <cerrno>
#include <string>
#include <utility>

#include "sock/result.hpp"

namespace sock::sys {

/// The class of an errno value.
[[nodiscard]] Errc errc_of(int sys_errno) noexcept;

/// The error of a system call that failed with `sys_errno` on `subject`.
[[nodiscard]] std::unexpected<Error> sys_error(int sys_errno, std::string subject);

/// Calls `call` until it does not fail with EINTR. Never used for close().
template <class Call>
auto retry(Call&& call) noexcept {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

}  // namespace sock::sys
