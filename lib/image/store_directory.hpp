#pragma once

// The directory of an image store, opened and checked. What is in it, and how processes share it,
// is written down in docs/image-store.md.

#include "store/store_directory.hpp"

namespace sock::image {

struct StoreDirectory : store::StoreDirectory {
  UniqueFd layers;     ///< DIFFID/tree and DIFFID/record
  UniqueFd roots;      ///< CHAINID/tree: of images with several layers
  UniqueFd documents;  ///< DIGEST: configs and manifests, byte for byte
  UniqueFd images;     ///< IMAGEID: what the store knows of an image
  UniqueFd names;      ///< NAME: an image's id
  UniqueFd mounts;     ///< KEY: a directory on which a root is mounted
  UniqueFd prefetch;   ///< CHAINID/KEY: what a command reads of a root

  /// Makes what is missing. On failure: as store::StoreDirectory::open().
  static Result<StoreDirectory> open(const std::string& path);
};

}  // namespace sock::image
