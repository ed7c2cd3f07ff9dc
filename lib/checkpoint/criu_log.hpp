#pragma once

// What went wrong, in CRIU's own words. Pure.

#include <string>
#include <string_view>

namespace sock::checkpoint {

/// The decisive lines of a log: its first errors, without times and places in CRIU's source; empty
/// when it has none. What it says on every start without CAP_SYS_RESOURCE is left out.
std::string decisive_lines(std::string_view log);

}  // namespace sock::checkpoint
