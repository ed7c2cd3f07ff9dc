#pragma once

// What an ImageRoot holds.

#include <memory>
#include <string>

#include "sock/image.hpp"

#include "image/catalog.hpp"
#include "image/store_directory.hpp"
#include "store/store_locks.hpp"

namespace sock {

/// The lock is what keeps gc() away.
struct ImageRoot::Impl {
  std::shared_ptr<const image::StoreDirectory> store;
  image::StoredImage stored;
  std::string path;
  store::StoreLocks lock;
};

}  // namespace sock
