#pragma once

// Files that are open, mapped or a working directory, and deleted. CRIU makes them again by their
// old paths ("ghosts"), as root, from outside the container: so what is at those paths now must not
// be a way out of it.

#include <vector>

#include <sys/types.h>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "checkpoint/page_file.hpp"
#include "checkpoint/scratch.hpp"

namespace sock::checkpoint {

/// All processes are stopped, and CRIU has written `images`. On failure: Errc::unsupported for a
/// deleted file that is not in a tmpfs of the container's own, or whose directory is not where it
/// was, by real directories all the way. CRIU makes none of `page_files`.
Result<> require_safe_ghosts(FdRef images, FdRef root, const std::vector<pid_t>& processes,
                             const std::vector<ScratchPlace>& scratch,
                             const std::vector<EarlierPages>& page_files);

/// "/tmp/x" of "/tmp/x (deleted)"; empty for other names, and for what was never in a directory.
/// Pure.
std::string deleted_path(const std::string& link);

}  // namespace sock::checkpoint
