#pragma once

// Writes the entries of one layer into an empty directory that nobody else sees. No path is ever
// followed: each entry is made in the directory that holds it, beneath it, and only where nothing
// is. What is made is recorded, hashed from the bytes that were written.

#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "image/tar_reader.hpp"
#include "store/directory_stack.hpp"
#include "store/tree_policy.hpp"
#include "store/tree_record.hpp"

namespace sock::image {

/// Thread-bound.
class TreeWriter {
 public:
  /// `root` is borrowed.
  TreeWriter(FdRef root, const store::TreePolicy& policy, store::Tally& tally)
      : root_{root}, policy_{policy}, tally_{tally}, parents_{root}, targets_{root} {}

  /// `data` is read when the entry is a file.
  Result<> add(TarEntry tar, TarReader& data);
  /// Sets what directories get last: mode, owner, times. Gives the record of all.
  Result<store::TreeRecord> finish();

 private:
  Result<> place(const std::string& path, TarEntry tar, TarReader& data);
  Result<> make_room(const std::string& path, const store::TreeEntry& entry);
  Result<FdRef> parent_for(const std::string& path);
  Result<> link(const std::string& path, const std::string& target);
  Result<> write_file(FdRef parent, const std::string& name, store::TreeEntry& entry,
                      TarReader& data);

  FdRef root_;
  const store::TreePolicy policy_;
  store::Tally& tally_;
  store::DirectoryStack parents_;
  store::DirectoryStack targets_;  ///< Of hard links: they lie elsewhere.
  store::TreeRecord record_;
  store::Sha256 hash_;
  std::uint64_t last_group_ = 0;
};

/// Makes what is no directory, no file and no hard link, with its owner and time.
Result<> make_special(FdRef parent, const std::string& name, const store::TreeEntry& entry,
                      store::Owners owners);
/// Sets everything of a directory or a new file that is not its content.
Result<> set_metadata(FdRef file, const store::TreeEntry& entry, store::Owners owners);
/// For all directories of a record, the innermost first.
Result<> finish_directories(FdRef root, const store::TreeRecord& record, store::Owners owners);

}  // namespace sock::image
