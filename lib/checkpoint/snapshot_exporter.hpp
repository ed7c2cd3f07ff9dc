#pragma once

// One export: from a store into a tar file, in the order of archive_items.hpp. Everything is
// compared with its digest on the way, so that nothing damaged gets a name.

#include <string>

#include "sock/checkpoint.hpp"

#include "checkpoint/archive_items.hpp"
#include "checkpoint/snapshot_directory.hpp"
#include "store/progress_meter.hpp"
#include "store/tar_writer.hpp"

namespace sock::checkpoint {

/// Thread-bound; used once. Whoever has it holds the snapshot's lock.
class SnapshotExporter {
 public:
  /// All are borrowed.
  SnapshotExporter(const SnapshotDirectory& directory, const std::string& name,
                   const LoadedManifest& loaded, const SnapshotExportOptions& options)
      : directory_{directory},
        name_{name},
        loaded_{loaded},
        progress_{options.progress, entries_} {}

  /// On failure: nothing is left.
  Result<> run(const std::string& file);

 private:
  Result<> require_good_scratch() const;
  Result<> write(store::TarWriter& tar);
  Result<> add_item(store::TarWriter& tar, const ArchiveItem& item);
  Result<> add_directory(store::TarWriter& tar, const std::string& path);
  Result<> add_file(store::TarWriter& tar, const std::string& path, std::uint64_t size,
                    const store::Digest& digest);
  Result<> add_tree(store::TarWriter& tar, const std::string& path, std::size_t index);
  [[nodiscard]] std::string place_of(const std::string& path) const;
  void count(std::uint64_t bytes);

  const SnapshotDirectory& directory_;
  const std::string& name_;
  const LoadedManifest& loaded_;
  std::uint64_t entries_ = 0;
  store::ProgressMeter progress_;
  UniqueFd own_;  ///< The snapshot's directory.
};

}  // namespace sock::checkpoint
