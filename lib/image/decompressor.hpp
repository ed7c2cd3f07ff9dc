#pragma once

// Layers as they are stored: plain, gzip or zstd, told apart by their first bytes.

#include <memory>
#include <string_view>

#include "sock/result.hpp"

#include "store/byte_stream.hpp"
#include "store/decoder.hpp"

namespace sock::image {

using store::Sink;  ///< Of the unpacked bytes.

/// Thread-bound.
class Decompressor {
 public:
  /// For a blob that begins like this (at least its first four bytes, unless it is shorter).
  explicit Decompressor(std::string_view start);

  Result<> feed(std::string_view stored, const Sink& sink);
  /// After the last byte: Errc::corrupt when the blob ends in the middle.
  [[nodiscard]] Result<> end() const;

 private:
  std::unique_ptr<store::Decoder> decoder_;  ///< Null: it is plain.
};

}  // namespace sock::image
