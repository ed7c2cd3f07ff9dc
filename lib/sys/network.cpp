// What `ip link set lo up` does.

#include "sys/network.hpp"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <net/if.h>

#include "sock/fd.hpp"

#include "sys/error.hpp"

namespace sock::sys {

Result<> bring_up_loopback() {
  const UniqueFd control{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!control) return sys_error(errno, "loopback");
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (::ioctl(control.get(), SIOCSIFFLAGS, &request) < 0) return sys_error(errno, "loopback");
  return {};
}

}  // namespace sock::sys
