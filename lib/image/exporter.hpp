#pragma once

// Writes an image of the store as an OCI layout, in a directory or in an archive. Layers are made
// anew from what was unpacked, so they hold the same files and have other digests than those that
// were imported. The target appears whole, by a rename, or not at all.

#include <string>

#include "sock/image.hpp"

#include "image/blob_writer.hpp"
#include "image/catalog.hpp"

namespace sock::image {

/// Thread-bound; used once.
class Exporter {
 public:
  Exporter(const StoreDirectory& store, const StoredImage& stored, const ExportOptions& options)
      : store_{store}, stored_{stored}, options_{options} {}

  Result<> run(const ImageSource& target);

 private:
  struct Layer {
    store::Digest diff_id;
    WrittenBlob blob;
  };
  Result<> write_layout(FdRef directory, const std::string& tag) const;
  Result<Layer> write_layer(FdRef blobs, const store::TreeRecord& record, FdRef tree) const;
  Result<Layer> write_stored_layer(FdRef blobs, std::size_t layer) const;
  Result<Layer> write_changes(FdRef blobs) const;

  const StoreDirectory& store_;
  const StoredImage& stored_;
  const ExportOptions& options_;
};

}  // namespace sock::image
