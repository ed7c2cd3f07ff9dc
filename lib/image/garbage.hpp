#pragma once

// Removing what nothing refers to any more.

#include "sock/image.hpp"

#include "image/store_directory.hpp"

namespace sock::image {

Result<ImageGarbage> collect_garbage(const StoreDirectory& store);

}  // namespace sock::image
