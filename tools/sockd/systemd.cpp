// By libsystemd; without it the daemon is its own.

#include "systemd.hpp"

#ifdef SOCKD_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace sockd {

#ifdef SOCKD_SYSTEMD

void tell_systemd(const std::string& state) {
  (void)sd_notify(0, state.c_str());
}

std::vector<sock::UniqueFd> take_passed_sockets() {
  std::vector<sock::UniqueFd> sockets;
  const int count = sd_listen_fds(1);
  for (int i = 0; i < count; ++i) sockets.emplace_back(SD_LISTEN_FDS_START + i);
  return sockets;
}

#else

void tell_systemd(const std::string&) {}

std::vector<sock::UniqueFd> take_passed_sockets() {
  return {};
}

#endif

}  // namespace sockd
