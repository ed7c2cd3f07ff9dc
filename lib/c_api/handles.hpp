#pragma once

// What the opaque handles of sock.h are, and the border that no exception crosses.

#include <cerrno>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "sock/check.hpp"
#include "sock/container.hpp"
#include "sock/host.hpp"
#include "sock/result.hpp"
#include "sock/seccomp.hpp"
#include "sock/sock.h"

struct sock_error {
  sock::Error error;
  std::string message;
};

// Handles are allocated before what they hold is started: when memory runs out, nothing has been
// started that nobody could end. Those that a caller has are never empty.

struct sock_host {
  std::optional<sock::Host> host;
};

struct sock_container {
  std::optional<sock::Container> container;
};

struct sock_process {
  std::optional<sock::Process> process;
};

struct sock_checks {
  std::vector<sock::Check> checks;
};

struct sock_seccomp_builder {
  sock::SeccompPolicy::Builder builder;
};

struct sock_seccomp_policy {
  sock::SeccompPolicy policy;
};

namespace sock::c_api {

/// Gives the error to the caller, who may not want it, and returns its negative error number.
int report(const Error& error, sock_error** ret_error) noexcept;
/// The same without anything allocated: for when memory is what is missing.
int report_without_details(int error_number, sock_error** ret_error) noexcept;

/// Runs the body of a function of sock.h, which returns a Result<>.
template <class Body>
int at_border(sock_error** ret_error, Body body) noexcept {
  try {
    const Result<> done = body();
    return done.has_value() ? 0 : report(done.error(), ret_error);
  } catch (const std::bad_alloc&) {
    return report_without_details(ENOMEM, ret_error);
  } catch (...) {
    return report_without_details(EIO, ret_error);
  }
}

/// A refusal of what the caller passed.
[[nodiscard]] std::unexpected<Error> refuse_argument(std::string subject, std::string hint,
                                                     int error_number = EINVAL);

/// Parameters that must not be NULL, by name: `SOCK_TRY(require(host, "host"))`.
inline Result<> require(const void* argument, const char* name) {
  if (argument == nullptr) return refuse_argument(name, "it is NULL");
  return {};
}

}  // namespace sock::c_api
