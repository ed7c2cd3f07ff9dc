// Errors of the C interface: the code, the stage and the words of sock::Error.

#include <array>

#include "base/try.hpp"
#include "c_api/handles.hpp"

namespace sock::c_api {
namespace {

static_assert(SOCK_INVALID_SPEC == static_cast<int>(Errc::invalid_spec) + 1);
static_assert(SOCK_LAUNCH_FAILED == static_cast<int>(Errc::launch_failed) + 1);
static_assert(SOCK_IO == static_cast<int>(Errc::io) + 1);

// What stands for a failure in which the kernel had no part; in the order of Errc.
constexpr std::array<int, SOCK_IO> error_numbers{
    EINVAL, EOPNOTSUPP, EPERM, ENOENT, EEXIST, EAGAIN, ETIMEDOUT, ECHILD, ESRCH, EBADMSG, EIO};

int error_number(const Error& error) noexcept {
  return error.sys_errno > 0 ? error.sys_errno
                             : error_numbers[static_cast<std::size_t>(error.code)];
}

}  // namespace

int report(const Error& error, sock_error** ret_error) noexcept {
  if (ret_error != nullptr) {
    try {
      *ret_error = new sock_error{.error = error, .message = error.message()};
    } catch (...) {
      *ret_error = nullptr;
    }
  }
  return -error_number(error);
}

int report_without_details(int error_number, sock_error** ret_error) noexcept {
  if (ret_error != nullptr) *ret_error = nullptr;
  return -error_number;
}

std::unexpected<Error> refuse_argument(std::string subject, std::string hint, int error_number) {
  return std::unexpected(Error{.code = Errc::invalid_spec,
                               .stage = Stage::validate,
                               .sys_errno = error_number == EINVAL ? 0 : error_number,
                               .subject = std::move(subject),
                               .hint = std::move(hint)});
}

}  // namespace sock::c_api

int sock_error_code(const sock_error* error) {
  return error == nullptr ? 0 : static_cast<int>(error->error.code) + 1;
}

// to_string() returns literals, which end with a NUL.
const char* sock_error_code_name(const sock_error* error) {
  return error == nullptr ? "" : to_string(error->error.code).data();
}

const char* sock_error_stage(const sock_error* error) {
  return to_string(error == nullptr ? sock::Stage::none : error->error.stage).data();
}

int sock_error_errno(const sock_error* error) {
  return error == nullptr ? 0 : error->error.sys_errno;
}

const char* sock_error_subject(const sock_error* error) {
  return error == nullptr ? "" : error->error.subject.c_str();
}

const char* sock_error_message(const sock_error* error) {
  return error == nullptr ? "" : error->message.c_str();
}

const char* sock_error_hint(const sock_error* error) {
  return error == nullptr ? "" : error->error.hint.c_str();
}

void sock_error_free(sock_error* error) {
  delete error;
}
