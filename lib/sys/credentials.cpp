// By the kernel's own calls, for one thread alone.

#include "sys/credentials.hpp"

#include <sys/syscall.h>

#include "sys/error.hpp"
#include "sys/raw.hpp"

namespace sock::sys {

Result<> set_real_ids(uid_t uid, gid_t gid) {
  long result = raw::call(SYS_setresgid, gid, 0, 0);
  if (result >= 0) result = raw::call(SYS_setresuid, uid, 0, 0);
  if (result < 0) return sys_error(static_cast<int>(-result), "ids of the worker");
  return {};
}

}  // namespace sock::sys
