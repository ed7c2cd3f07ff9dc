#pragma once

// Where the bytes of an image lie: a directory, or ranges of a tar file. Nothing is copied, and
// nothing is believed: whoever reads a blob compares its digest.

#include <cstdint>
#include <map>
#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "store/digest.hpp"

namespace sock::image {

/// A range of a file, which may be read with pread(2) from any thread.
struct Blob {
  UniqueFd file;
  std::uint64_t offset;
  std::uint64_t size;
};

/// An image layout in a directory or in a tar file. Move-only.
class BlobSource {
 public:
  static Result<BlobSource> open_directory(const std::string& path);
  /// Reads all headers of the archive once. On failure: Errc::unsupported for a compressed one.
  static Result<BlobSource> open_archive(const std::string& path);

  /// On failure: Errc::not_found.
  [[nodiscard]] Result<Blob> find(const std::string& path) const;
  [[nodiscard]] bool has(const std::string& path) const;
  /// A small file, whole.
  [[nodiscard]] Result<std::string> read(const std::string& path, std::uint64_t limit) const;
  /// blobs/sha256/DIGEST, compared with its digest and, unless that is 0, its size.
  [[nodiscard]] Result<std::string> read_blob(const store::Digest& digest, std::uint64_t size,
                                              std::uint64_t limit) const;

 private:
  struct Member {
    std::uint64_t offset;
    std::uint64_t size;
    std::string link;  ///< To another member; empty for a file.
  };
  UniqueFd file_;  ///< The directory, or the archive.
  bool is_archive_ = false;
  std::map<std::string, Member> members_;
};

std::string blob_path(const store::Digest& digest);

}  // namespace sock::image
