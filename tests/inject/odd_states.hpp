#pragma once

// States in which an embedding program may be when it calls the library.

#include <string_view>

namespace sock::test {

/// False for a name that it does not know. The state stays until the program ends.
bool enter_odd_state(std::string_view name);

}  // namespace sock::test
