#pragma once

// One import, from a source into a store.
//
// Everything is written into a staging directory, brought to the disk, and then moved to its place:
// layers, root, documents, the image, its name. A crash in between leaves objects that nothing
// refers to. Each layer and the root are locked before their presence is looked at, in the order of
// their keys, so two importers neither do the same work nor wait for one another in a circle; and
// gc() leaves what is locked.

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "image/catalog.hpp"
#include "image/layer_stream.hpp"
#include "image/source.hpp"
#include "store/progress_meter.hpp"
#include "store/staging.hpp"
#include "store/store_locks.hpp"
#include "store/tree_policy.hpp"

namespace sock::image {

/// Thread-bound; used once.
class Importer {
 public:
  Importer(const StoreDirectory& store, const ImportOptions& options);

  Result<Image> run(const ImageSource& source);

 private:
  /// A layer's tree, in the store or still in the staging directory, and what is in it.
  struct Layer {
    UniqueFd tree;
    store::TreeRecord record;
    store::Digest record_digest;
    bool is_new;
  };

  Result<Image> import_blobs(const SourceImage& source);
  Result<Image> import_directory(const ImageSource& source);
  Result<> lock_objects(const std::vector<store::Digest>& diff_ids);
  Result<> lock_object(const store::Digest& digest, FdRef place);
  Result<> unpack(const SourceImage& source);
  Result<Layer> unpack_layer(const SourceImage& source, const SourceLayer& layer);
  Result<Layer> open_layer(const store::Digest& diff_id) const;
  Result<store::TreeRecord> unpack_stream(LayerStream& stream, FdRef tree);
  Result<Image> finish(const Config& config, const std::string& config_text,
                       const std::optional<std::string>& manifest_text, const std::string& name);
  Result<> assemble(const store::TreeRecord& merged, std::span<const FdRef> trees);
  Result<> publish_objects(const StoredImage& stored);
  Result<> publish_documents(const StoredImage& stored);
  Result<Image> publish_image(StoredImage stored, const std::string& name);

  const StoreDirectory& store_;
  const ImportOptions& options_;
  const store::TreePolicy policy_;
  store::Tally tally_;
  std::uint64_t streamed_bytes_ = 0;  ///< Of the layers that were unpacked.
  store::ProgressMeter progress_;
  std::optional<store::StoreLocks> locks_;
  std::optional<store::Staging> staging_;
  std::set<store::Digest> missing_;  ///< Objects that we hold exclusively, and have to make.
  std::map<store::Digest, Layer> layers_;
};

}  // namespace sock::image
