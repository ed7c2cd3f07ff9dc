// Locks over single bytes of one file.

#include "sys/range_lock.hpp"

#include <fcntl.h>

#include "sys/error.hpp"

namespace sock::sys {
namespace {

int lock_call(FdRef file, int command, short type, std::uint64_t offset) {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(offset);
  range.l_len = 1;
  return retry([&] { return ::fcntl(file.get(), command, &range); });
}

constexpr short type_of(LockMode mode) {
  return mode == LockMode::shared ? F_RDLCK : F_WRLCK;
}

}  // namespace

Result<> lock_byte(FdRef file, std::uint64_t offset, LockMode mode) {
  if (lock_call(file, F_OFD_SETLKW, type_of(mode), offset) < 0) return sys_error(errno, "lock");
  return {};
}

Result<bool> try_lock_byte(FdRef file, std::uint64_t offset, LockMode mode) {
  if (lock_call(file, F_OFD_SETLK, type_of(mode), offset) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  return sys_error(errno, "lock");
}

Result<> unlock_byte(FdRef file, std::uint64_t offset) {
  if (lock_call(file, F_OFD_SETLK, F_UNLCK, offset) < 0) return sys_error(errno, "lock");
  return {};
}

}  // namespace sock::sys
