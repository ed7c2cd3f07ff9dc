#pragma once

// From a source to what has to be read: the documents, checked, and where each layer lies.

#include <optional>
#include <string>
#include <vector>

#include "sock/image.hpp"

#include "image/blobs.hpp"
#include "image/manifest.hpp"

namespace sock::image {

struct SourceLayer {
  store::Digest diff_id;
  std::string path;                     ///< In the source.
  std::optional<store::Digest> stored;  ///< Of the blob, where the source names it.
  std::optional<std::uint64_t> size;
};

struct SourceImage {
  BlobSource blobs;
  Config config;
  std::string config_text;
  std::optional<std::string> manifest_text;
  std::vector<SourceLayer> layers;  ///< From the lowest.
  std::string name;                 ///< NAME:TAG for it, unless the caller has one.
};

/// For all kinds but a directory.
Result<SourceImage> open_source_image(const ImageSource& source, const ImportOptions& options);

}  // namespace sock::image
