#pragma once

// The step that errors about images name. An image is what a root is made of, so it is that one.

#include "sock/result.hpp"

namespace sock::image {

inline constexpr Stage image_stage = Stage::rootfs;

}  // namespace sock::image
