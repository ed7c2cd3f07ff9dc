#pragma once

// Where images, packages and snapshots are kept. Pure.

#include <string>

#include "run_options.hpp"

namespace sockctl {

struct StorePlace {
  const char* option;
  const char* variable;
  const char* leaf;  ///< Its name below /var/lib/sock or XDG_DATA_HOME/sock.
};
inline constexpr StorePlace image_store_place{"--image-store", "SOCK_IMAGE_STORE", "images"};
inline constexpr StorePlace package_cache_place{"--package-cache", "SOCK_PACKAGE_CACHE",
                                                "packages"};
inline constexpr StorePlace snapshot_store_place{"--snapshot-store", "SOCK_SNAPSHOT_STORE",
                                                 "snapshots"};

/// What was given, the variable, /var/lib/sock/LEAF for root, XDG_DATA_HOME/sock/LEAF.
Result<std::string> choose_store(const StorePlace& place, const std::string& given,
                                 const Caller& caller);

}  // namespace sockctl
