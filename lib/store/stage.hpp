#pragma once

// The step that errors about stores name, and how they call what they hold and cannot be used.
// Images and packages are what a root is made of, so it is that step.

#include <string>

#include "base/try.hpp"

namespace sock::store {

inline constexpr Stage store_stage = Stage::rootfs;

/// What is stored, or is to be stored, is not as it must be.
inline std::unexpected<Error> corrupt(std::string what, std::string why) {
  return base::refuse(Errc::corrupt, store_stage, std::move(what), std::move(why));
}

}  // namespace sock::store
