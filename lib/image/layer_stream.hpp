#pragma once

// One layer, on its way from the source: a thread reads, hashes, decompresses and hashes again,
// while the caller writes what it gets. Both digests are of the bytes that went through, so a
// source that changes meanwhile is noticed.

#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "sock/image.hpp"

#include "image/blobs.hpp"
#include "image/chunk_queue.hpp"
#include "store/byte_stream.hpp"
#include "store/digest.hpp"
#include "store/progress_meter.hpp"

namespace sock::image {

/// Thread-bound. Its destructor stops the thread and waits for it.
class LayerStream : public store::ByteStream {
 public:
  /// `stored` is the digest of the blob, where the source names one. `progress` counts its bytes,
  /// and is told now and then.
  LayerStream(Blob blob, std::optional<store::Digest> stored, const ImportLimits& limits,
              store::ProgressMeter& progress);
  ~LayerStream() override;

  Result<> start();
  /// The next bytes of the tar stream, valid until the next call; empty at its end.
  Result<std::string_view> next() override;
  /// Reads what is left, and gives the digest of all of it. On failure: also Errc::corrupt when the
  /// blob is another than the source says.
  Result<store::Digest> finish();
  /// Of the tar stream; after finish().
  [[nodiscard]] std::uint64_t unpacked_bytes() const noexcept { return unpacked_bytes_; }

 private:
  void work();
  Result<> read_blob();
  Result<> put(std::string_view unpacked);
  Result<> flush();

  const Blob blob_;
  const std::optional<store::Digest> stored_;
  const ImportLimits limits_;
  store::ProgressMeter& progress_;
  ChunkQueue queue_;
  std::string current_;  ///< The consumer's.

  // The thread's, until it has closed the queue.
  std::string filling_;
  bool is_filling_ = false;
  std::uint64_t stored_bytes_ = 0;
  std::uint64_t unpacked_bytes_ = 0;
  store::Sha256 unpacked_hash_;
  std::optional<store::Digest> unpacked_digest_;
  std::jthread thread_;
};

}  // namespace sock::image
