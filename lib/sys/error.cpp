// From errno to Error.

#include "sys/error.hpp"

namespace sock::sys {

Errc errc_of(int sys_errno) noexcept {
  switch (sys_errno) {
    case ENOENT:
    case ENOTDIR:
      return Errc::not_found;
    case EPERM:
    case EACCES:
    case EROFS:
      return Errc::denied;
    case EEXIST:
      return Errc::exists;
    case EAGAIN:
    case EBUSY:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOSPC:
    case EUSERS:
      return Errc::exhausted;
    case ENOSYS:
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
      return Errc::unsupported;
    case EINVAL:
    case ELOOP:
    case ENAMETOOLONG:
    case E2BIG:
    case ENOEXEC:
      return Errc::invalid_spec;
    case ETIMEDOUT:
      return Errc::timed_out;
    case ESRCH:
    case EPIPE:
    case ENODEV:
    case ECONNRESET:
      return Errc::closed;
    default:
      return Errc::io;
  }
}

std::unexpected<Error> sys_error(int sys_errno, std::string subject) {
  return std::unexpected(Error{.code = errc_of(sys_errno),
                               .stage = Stage::none,
                               .sys_errno = sys_errno,
                               .subject = std::move(subject),
                               .hint = {}});
}

}  // namespace sock::sys
