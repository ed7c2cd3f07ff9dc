#pragma once

// A blob of an OCI layout under way: hashed while it is written, named by its digest at the end.

#include <string>
#include <string_view>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "store/digest.hpp"

namespace sock::image {

struct WrittenBlob {
  store::Digest digest;
  std::uint64_t size;
};

/// Thread-bound.
class BlobWriter {
 public:
  /// `blobs` is borrowed: the layout's blobs/sha256.
  static Result<BlobWriter> create(FdRef blobs);
  Result<> write(std::string_view bytes);
  Result<WrittenBlob> finish();

 private:
  BlobWriter(FdRef blobs, UniqueFd file) noexcept : blobs_{blobs}, file_{std::move(file)} {}
  FdRef blobs_;
  UniqueFd file_;
  store::Sha256 hash_;
  std::uint64_t size_ = 0;
};

Result<WrittenBlob> write_blob(FdRef blobs, std::string_view bytes);

}  // namespace sock::image
