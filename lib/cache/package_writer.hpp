#pragma once

// Writes the members of archives as one package: files, directories and symlinks only, each once,
// all of them the caller's and readable by everybody.

#include <cstdint>
#include <string>

#include "sock/fd.hpp"
#include "sock/image.hpp"

#include "store/archive_reader.hpp"
#include "store/tree_policy.hpp"
#include "store/tree_writer.hpp"

namespace sock::cache {

/// What a package is kept with: read and run by all, written by nobody that a container has.
[[nodiscard]] mode_t package_mode(const store::TreeEntry& entry) noexcept;

/// A file that comes a second time.
enum class Repetition : std::uint8_t {
  refused,
  /// Passed over when it has the same content: Debian's numpy has a module in two places that are
  /// one here.
  equal,
};

/// Thread-bound.
class PackageWriter {
 public:
  /// `tree` is an empty directory, borrowed; `source_bytes` what the archives take.
  PackageWriter(FdRef tree, const ImportLimits& limits, std::uint64_t source_bytes,
                Repetition repetition);

  /// For every member, also one that is not taken. On failure: Errc::exhausted beyond a limit,
  /// Errc::corrupt for what no package may bring: devices, set-user-ID programs.
  Result<> check(const store::ArchiveEntry& entry);
  /// `path` is clean, and in the package. The root itself is passed over.
  Result<> add(const std::string& path, store::ArchiveEntry entry, store::ArchiveReader& data);
  Result<store::TreeRecord> finish();

 private:
  const store::TreePolicy policy_;
  const std::uint64_t source_bytes_;
  const Repetition repetition_;
  store::Tally tally_;
  store::TreeWriter writer_;
};

}  // namespace sock::cache
