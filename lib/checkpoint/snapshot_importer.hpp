#pragma once

// One import: from a tar file that anybody may have made into a store.
//
// Each entry must be the one that is due (archive_items.hpp), as long as the manifest says, and is
// written only where nothing is, below a staging directory. What was written is compared with the
// digests before it is published.

#include <optional>
#include <string>

#include "sock/checkpoint.hpp"

#include "checkpoint/archive_file.hpp"
#include "checkpoint/archive_items.hpp"
#include "checkpoint/snapshot_directory.hpp"
#include "store/archive_reader.hpp"
#include "store/progress_meter.hpp"
#include "store/staging.hpp"
#include "store/tree_policy.hpp"
#include "store/tree_record.hpp"

namespace sock::checkpoint {

/// Thread-bound; used once.
class SnapshotImporter {
 public:
  /// All are borrowed; `file` is what errors are about.
  SnapshotImporter(const SnapshotDirectory& directory, FdRef archive, const std::string& file,
                   const SnapshotImportOptions& options);

  Result<Snapshot> run(std::uint64_t archive_bytes);

 private:
  Result<> read_entry();
  Result<> require_entry(const std::string& path, store::TreeEntry::Kind kind);
  Result<> take_top();
  Result<LoadedManifest> take_documents();
  Result<std::string> take_document(const std::string& name, std::size_t most);
  Result<> require_room(const Manifest& manifest) const;
  Result<> take_item(const ArchiveItem& item, const Manifest& manifest);
  Result<> take_directory(const std::string& path);
  Result<> take_image(const ArchiveItem& item, const SnapshotFile& expected);
  Result<> take_record(const ArchiveItem& item);
  Result<store::Digest> take_data(const std::string& path);
  Result<> take_tree(const ArchiveItem& item, const Scratch& expected);
  Result<store::TreeRecord> unpack_tree(const std::string& path, FdRef tree);
  Result<> compare_tree(const ArchiveItem& item, const Scratch& expected,
                        const store::TreeRecord& found) const;
  [[nodiscard]] std::unexpected<Error> refuse(const std::string& path,
                                              const std::string& why) const;

  const SnapshotDirectory& directory_;
  const std::string& file_;
  const SnapshotImportOptions& options_;
  const ImportLimits path_limits_;  ///< Of a path in the archive.
  const store::TreePolicy policy_;
  store::Tally tally_;
  store::ProgressMeter progress_;
  ArchiveFile stream_;
  store::ArchiveReader reader_;
  std::optional<store::Staging> staging_;
  UniqueFd own_;     ///< What will be the snapshot's directory.
  std::string top_;  ///< The archive's only directory.
  /// The entry that is next, with its path cleaned; empty at the end.
  std::optional<store::ArchiveEntry> entry_;
};

}  // namespace sock::checkpoint
