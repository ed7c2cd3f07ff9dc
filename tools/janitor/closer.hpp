#pragma once

// The process beside the janitor that closes what it is sent. Apart from it, because a close may
// hang for as long as a file system does, and the janitor must not.

#include "sock/fd.hpp"

/// Returns when no sender is left.
void close_what_comes(sock::FdRef socket);
