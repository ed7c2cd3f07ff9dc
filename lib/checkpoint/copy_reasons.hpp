#pragma once

// For which processes of a snapshot memory has to be copied at a restore, and why.

#include <map>
#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "sys/process.hpp"

namespace sock::checkpoint {

/// Of each process, by the number in its images' names: why its memory is copied; empty if it is
/// mapped.
using CopyReasons = std::map<std::string, std::string>;

/// A limited look at all processes, by their programs and libraries (zero_reliance.hpp), which are
/// looked up in `root`: the container's words, by which it can only harm itself.
Result<CopyReasons> why_copied(FdRef images, FdRef root, sys::Deadline deadline);
/// The same reason for all.
Result<CopyReasons> all_copied(FdRef images, const std::string& reason);
/// None.
Result<CopyReasons> none_copied(FdRef images);

}  // namespace sock::checkpoint
