// Replacing a small file in one step.

#include "sys/replace.hpp"

#include <fcntl.h>
#include <stdio.h>

#include "base/try.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"

namespace sock::sys {

Result<> replace_file(FdRef dir, const std::string& name, std::string_view content) {
  const std::string fresh = name + ".new";
  {
    const UniqueFd file =
        SOCK_TRY(open(dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
    SOCK_TRY(write_all(file, content));
  }
  if (::renameat(dir.get(), fresh.c_str(), dir.get(), name.c_str()) < 0)
    return sys_error(errno, name);
  return {};
}

}  // namespace sock::sys
