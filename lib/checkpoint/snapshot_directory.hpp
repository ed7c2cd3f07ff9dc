#pragma once

// Where snapshots are: SNAPSHOTS/NAME/{manifest,digest,images/,scratch/}; docs/snapshots.md has the
// format.

#include <string>
#include <string_view>
#include <vector>

#include "sock/checkpoint.hpp"
#include "sock/result.hpp"

#include "checkpoint/manifest.hpp"
#include "store/staging.hpp"
#include "store/store_directory.hpp"
#include "store/store_locks.hpp"
#include "sys/process.hpp"

namespace sock::checkpoint {

struct SnapshotDirectory : store::StoreDirectory {
  UniqueFd snapshots;

  /// On failure: as store::StoreDirectory::open().
  static Result<SnapshotDirectory> open(const std::string& path);
};

/// Whoever restores from it holds it shared; whoever removes it, exclusively.
store::LockKey lock_of(const std::string& name);

/// One component, as the names of all snapshots: it is the name of a directory. On failure:
/// Errc::not_found.
Result<> require_name(const std::string& name);
/// A manifest whose digest was compared, and the document itself.
struct LoadedManifest {
  Manifest manifest;
  std::string text;
};
/// What the file `digest` of such a document has.
std::string digest_line(std::string_view text);
/// On failure: Errc::not_found, Errc::corrupt.
Result<LoadedManifest> load_manifest(const SnapshotDirectory& directory, const std::string& name);
/// `part`: images_name or scratch_name.
Result<UniqueFd> open_part_of(const SnapshotDirectory& directory, const std::string& name,
                              const std::string& part);

/// Every file of a directory, hashed. On failure: Errc::timed_out.
Result<std::vector<SnapshotFile>> hash_files(FdRef images, sys::Deadline deadline);
/// Reads all that the manifest names, and looks for what it does not.
Result<Verification> check_files(const SnapshotDirectory& directory, const std::string& name,
                                 const Manifest& manifest);

/// What a snapshot is called in its store, and below `staging` until it is there.
inline constexpr std::size_t most_manifest = 16U << 20U;  ///< bytes
inline constexpr const char* images_name = "images";
inline constexpr const char* scratch_name = "scratch";
inline constexpr const char* manifest_name = "manifest";
inline constexpr const char* digest_name = "digest";

/// Writes the manifest and its digest into staging's directory `inside`; the document.
Result<std::string> write_manifest(const store::Staging& staging, const std::string& inside,
                                   const Manifest& manifest);
/// Moves staging's directory `from` to its place. On failure: Errc::exists.
Result<> publish(const SnapshotDirectory& directory, const store::Staging& staging,
                 const std::string& from, const std::string& name);
/// On failure: Errc::exists.
Result<> require_free(const SnapshotDirectory& directory, const std::string& name);
/// Before anything is written: a name that is free, an annotation that is not too long.
Result<> require_possible(const SnapshotDirectory& directory, const CheckpointOptions& options);

}  // namespace sock::checkpoint
