#pragma once

// systemd, or whoever starts the daemon as it does: what it is told, and the sockets that it
// passes.

#include <string>
#include <vector>

#include "sock/fd.hpp"

namespace sockd {

/// As sd_notify(3): "READY=1". Without effect where nobody has asked for it.
void tell_systemd(const std::string& state);
/// The sockets that were opened for us, each once; close-on-exec from now on.
std::vector<sock::UniqueFd> take_passed_sockets();

}  // namespace sockd
