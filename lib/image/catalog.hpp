#pragma once

// What a store knows of its images, and how they are called. Readers see whole files, since every
// file appears by rename; whoever changes something holds LockKey::catalog().

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sock/image.hpp"

#include "image/reference.hpp"
#include "image/store_directory.hpp"
#include "store/digest.hpp"
#include "store/staging.hpp"
#include "store/tree_record.hpp"

namespace sock::image {

/// An image with what is not public.
struct StoredImage {
  Image image;
  store::Digest chain;                 ///< Of its layers: the name of its root.
  std::vector<store::Digest> layers;   ///< From the lowest.
  std::vector<store::Digest> records;  ///< The digests of their records.
};

/// OCI's ChainID: a digest of the digests of the layers.
store::Digest chain_of(const std::vector<store::Digest>& diff_ids);
/// Where a root is, below the store: its own directory, or the only layer's.
std::string root_path(const StoredImage& stored);

/// What is in one of an image's layers. On failure: Errc::corrupt for another than was imported.
Result<store::TreeRecord> load_record(const StoreDirectory& store, const StoredImage& stored,
                                      std::size_t layer);
/// What is in its root.
Result<store::TreeRecord> load_root_record(const StoreDirectory& store, const StoredImage& stored);

/// NAME:TAG and the image's id.
using Names = std::map<std::string, store::Digest>;
Result<Names> load_names(const StoreDirectory& store);
/// With its names. On failure: Errc::not_found, or Errc::corrupt.
Result<StoredImage> load_image(const StoreDirectory& store, const store::Digest& id,
                               const Names& names);
/// All images, also those without a name.
Result<std::vector<StoredImage>> load_images(const StoreDirectory& store);
/// Also those that cannot be read.
Result<std::size_t> count_images(const StoreDirectory& store);
/// On failure: Errc::not_found.
Result<StoredImage> find_image(const StoreDirectory& store, const Reference& reference,
                               const std::string& as_given);

Result<> save_image(const StoreDirectory& store, const store::Staging& staging,
                    const StoredImage& stored);
Result<> save_name(const StoreDirectory& store, const store::Staging& staging,
                   const std::string& name, const store::Digest& id);
Result<> remove_name(const StoreDirectory& store, const std::string& name);

}  // namespace sock::image
