#pragma once

// The verbs of zygotes, each by itself.

#include "verbs.hpp"

namespace sock::test {

/// Null: no such verb.
HostVerb find_zygote_verb(std::string_view name);

}  // namespace sock::test
