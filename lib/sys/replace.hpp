#pragma once

// Replacing a small file in one step: a reader, or a crash, sees the old content or the new one.
// Not for surviving a power cut: nothing is flushed to the disk.

#include <string>
#include <string_view>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

/// Makes or replaces `name`, a plain name in `dir`, with mode 0600. Uses the name with ".new"
/// appended, so two writers of one name must exclude each other.
Result<> replace_file(FdRef dir, const std::string& name, std::string_view content);

}  // namespace sock::sys
