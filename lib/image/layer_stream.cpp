// The reading half of an import.

#include "image/layer_stream.hpp"

#include <algorithm>
#include <new>

#include "base/try.hpp"
#include "image/decompressor.hpp"
#include "image/document.hpp"
#include "image/stage.hpp"
#include "sys/inode.hpp"
#include "sys/thread.hpp"

namespace sock::image {
namespace {

// Small layers may be mostly zeros: no ratio is judged below this.
constexpr std::uint64_t unjudged_bytes = 64ULL << 20U;

std::unexpected<Error> beyond(const char* limit) {
  return base::refuse(Errc::exhausted, image_stage, "layer",
                      std::string{"beyond the limit of an import: "} + limit);
}

}  // namespace

LayerStream::LayerStream(Blob blob, std::optional<store::Digest> stored, const ImportLimits& limits,
                         store::ProgressMeter& progress)
    : blob_{std::move(blob)}, stored_{std::move(stored)}, limits_{limits}, progress_{progress} {}

LayerStream::~LayerStream() {
  queue_.cancel();
}

Result<> LayerStream::start() {
  thread_ = SOCK_TRY(base::in_stage(image_stage, sys::start_thread([this] { work(); })));
  return {};
}

Result<std::string_view> LayerStream::next() {
  progress_.tell();
  queue_.give_back(std::move(current_));
  current_ = SOCK_TRY(queue_.take_full());
  return std::string_view{current_};
}

Result<store::Digest> LayerStream::finish() {
  while (!SOCK_TRY(next()).empty()) continue;
  thread_.join();
  return *unpacked_digest_;
}

void LayerStream::work() {
  Result<> outcome;
  try {
    outcome = read_blob();
  } catch (const std::bad_alloc&) {
    outcome = base::refuse(Errc::exhausted, image_stage, "memory");
  }
  queue_.close(std::move(outcome));
}

Result<> LayerStream::read_blob() {
  std::string buffer(ChunkQueue::chunk_size, '\0');
  store::Sha256 stored_hash;
  std::optional<Decompressor> decompressor;
  const Sink sink = [this](std::string_view unpacked) { return put(unpacked); };
  while (stored_bytes_ < blob_.size) {
    const auto wanted = static_cast<std::size_t>(
        std::min<std::uint64_t>(buffer.size(), blob_.size - stored_bytes_));
    const auto count =
        SOCK_TRY(base::in_stage(image_stage, sys::read_at_offset(blob_.file, buffer.data(), wanted,
                                                                 blob_.offset + stored_bytes_)));
    if (count == 0) return corrupt("layer", "its blob is truncated");
    const std::string_view piece{buffer.data(), count};
    stored_bytes_ += count;
    progress_.count_bytes(count);
    if (stored_) stored_hash.update(piece);
    if (!decompressor) decompressor.emplace(piece);
    SOCK_TRY(decompressor->feed(piece, sink));
  }
  if (decompressor) SOCK_TRY(decompressor->end());
  SOCK_TRY(flush());
  if (stored_ && stored_hash.finish() != *stored_)
    return corrupt("layer " + stored_->to_string(), "its blob hashes to another digest");
  unpacked_digest_ = unpacked_hash_.finish();
  return {};
}

Result<> LayerStream::put(std::string_view unpacked) {
  unpacked_bytes_ += unpacked.size();
  if (unpacked_bytes_ > unjudged_bytes && unpacked_bytes_ / limits_.ratio_max > stored_bytes_)
    return beyond("ratio_max");
  // Whoever reads the archive stops at its end, and would not notice what comes behind it.
  if (unpacked_bytes_ > limits_.bytes_max) return beyond("bytes_max");
  unpacked_hash_.update(unpacked);
  while (!unpacked.empty()) {
    if (!is_filling_) {
      auto empty = queue_.take_empty();
      if (!empty) return base::refuse(Errc::closed, image_stage, "import");
      filling_ = std::move(*empty);
      is_filling_ = true;
    }
    const auto piece = unpacked.substr(0, ChunkQueue::chunk_size - filling_.size());
    filling_ += piece;
    unpacked.remove_prefix(piece.size());
    if (filling_.size() == ChunkQueue::chunk_size) SOCK_TRY(flush());
  }
  return {};
}

Result<> LayerStream::flush() {
  if (!is_filling_ || filling_.empty()) return {};
  queue_.put_full(std::move(filling_));
  is_filling_ = false;
  return {};
}

}  // namespace sock::image
