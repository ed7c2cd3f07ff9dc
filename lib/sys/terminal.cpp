// Pseudo-terminals.

#include "sys/terminal.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sys/error.hpp"

namespace sock::sys {

Result<UniqueFd> open_peer(FdRef master) {
  const int unlocked = 0;
  if (::ioctl(master.get(), TIOCSPTLCK, &unlocked) < 0) return sys_error(errno, "terminal");
  const int fd = ::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return sys_error(errno, "terminal");
  return UniqueFd{fd};
}

Result<> set_window(FdRef master, std::uint16_t rows, std::uint16_t columns) {
  const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  if (::ioctl(master.get(), TIOCSWINSZ, &size) < 0) return sys_error(errno, "terminal");
  return {};
}

}  // namespace sock::sys
