#pragma once

// The verbs of zygotes, each by itself.

#include "verbs.hpp"

namespace sock::test {

/// Null: no such verb.
HostVerb find_zygote_verb(std::string_view name, const std::string& state_dir);

}  // namespace sock::test
