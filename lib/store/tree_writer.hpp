#pragma once

// Writes the entries of one archive into an empty directory that nobody else sees. No path is ever
// followed: each entry is made in the directory that holds it, beneath it, and only where nothing
// is. What is made is recorded, hashed from the bytes that were written.

#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "store/archive_reader.hpp"
#include "store/digest.hpp"
#include "store/directory_stack.hpp"
#include "store/tree_policy.hpp"
#include "store/tree_record.hpp"

namespace sock::store {

/// Thread-bound.
class TreeWriter {
 public:
  /// `root` is borrowed.
  TreeWriter(FdRef root, const TreePolicy& policy, Tally& tally)
      : root_{root}, policy_{policy}, tally_{tally}, parents_{root}, targets_{root} {}

  /// `path` is clean (entry_path.hpp), and where it goes, whatever the entry's own says; the caller
  /// has counted it. `data` is read when the entry is a file.
  Result<> add(const std::string& path, ArchiveEntry item, ArchiveReader& data);
  /// Whether add() only makes room for it: a device, where there are to be none.
  [[nodiscard]] bool leaves_out(const ArchiveEntry& item) const noexcept;
  /// What a layer says of those below it.
  void note_whiteout(std::string path) { record_.whiteouts.push_back(std::move(path)); }
  void note_opaque(std::string path) { record_.opaques.push_back(std::move(path)); }
  /// What has been written so far.
  [[nodiscard]] const TreeRecord& record() const noexcept { return record_; }
  /// Sets what directories get last: mode, owner, times. Gives the record of all.
  Result<TreeRecord> finish();

 private:
  Result<> place(const std::string& path, ArchiveEntry item, ArchiveReader& data);
  Result<> make_room(const std::string& path, const TreeEntry& entry);
  Result<FdRef> parent_for(const std::string& path);
  Result<> link(const std::string& path, const std::string& target);
  Result<> write_file(FdRef parent, const std::string& name, TreeEntry& entry, ArchiveReader& data);

  FdRef root_;
  const TreePolicy policy_;
  Tally& tally_;
  DirectoryStack parents_;
  DirectoryStack targets_;  ///< Of hard links: they lie elsewhere.
  TreeRecord record_;
  Sha256 hash_;
  std::uint64_t last_group_ = 0;
};

/// Makes what is no directory, no file and no hard link, with its owner and time.
Result<> make_special(FdRef parent, const std::string& name, const TreeEntry& entry, Owners owners);
/// Sets everything of a directory or a new file that is not its content.
Result<> set_metadata(FdRef file, const TreeEntry& entry, Owners owners);
/// For all directories of a record, the innermost first.
Result<> finish_directories(FdRef root, const TreeRecord& record, Owners owners);

}  // namespace sock::store
