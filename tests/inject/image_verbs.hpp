#pragma once

// The verbs of the image store, each by itself.

#include "verbs.hpp"

namespace sock::test {

/// Null: no such verb.
HostVerb find_image_verb(std::string_view name, const std::string& state_dir);

}  // namespace sock::test
