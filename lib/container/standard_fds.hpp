#pragma once

// The payload's descriptors 0, 1, 2 and the named ones after them.

#include <optional>
#include <string>
#include <vector>

#include "sock/spec.hpp"

#include "isolation/rootfs/devices.hpp"

namespace sock::container {

/// Borrowed descriptors in the order of their numbers in the payload: the terminal's slave for the
/// first three where there is one, and -1 (the child opens the container's own /dev/null) where
/// `stdio` has nothing. The machine's /dev/null will not do: a payload that owns it (uid 0) could
/// change its mode.
[[nodiscard]] std::vector<int> payload_fds(const Stdio& stdio,
                                           const std::optional<isolation::TerminalPair>& terminal,
                                           const std::vector<NamedFd>& named);

/// "SOCK_FDS=log:control"
[[nodiscard]] std::string names_of(const std::vector<NamedFd>& named);

}  // namespace sock::container
