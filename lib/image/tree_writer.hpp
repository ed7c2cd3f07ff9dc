#pragma once

// Writes the entries of one layer into an empty directory that nobody else sees. No path is ever
// followed: each entry is made in the directory that holds it, beneath it, and only where nothing
// is. What is made is recorded, hashed from the bytes that were written.

#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "image/directory_stack.hpp"
#include "image/tar_reader.hpp"
#include "image/tree_policy.hpp"
#include "image/tree_record.hpp"

namespace sock::image {

/// Thread-bound.
class TreeWriter {
 public:
  /// `root` is borrowed.
  TreeWriter(FdRef root, const TreePolicy& policy, Tally& tally)
      : root_{root}, policy_{policy}, tally_{tally}, parents_{root}, targets_{root} {}

  /// `data` is read when the entry is a file.
  Result<> add(TarEntry tar, TarReader& data);
  /// Sets what directories get last: mode, owner, times. Gives the record of all.
  Result<TreeRecord> finish();

 private:
  Result<> place(const std::string& path, TarEntry tar, TarReader& data);
  Result<> make_room(const std::string& path, const TreeEntry& entry);
  Result<FdRef> parent_for(const std::string& path);
  Result<> link(const std::string& path, const std::string& target);
  Result<> write_file(FdRef parent, const std::string& name, TreeEntry& entry, TarReader& data);

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

}  // namespace sock::image
