#pragma once

// Layers as they are stored: plain, gzip or zstd, told apart by their first bytes.

#include <memory>
#include <string_view>

#include "sock/result.hpp"

#include "store/byte_stream.hpp"

namespace sock::image {

using store::Sink;  ///< Of the unpacked bytes.

class Decompressor {
 public:
  /// For a blob that begins like this (at least its first four bytes, unless it is shorter).
  static std::unique_ptr<Decompressor> for_start(std::string_view start);
  virtual ~Decompressor() = default;
  Decompressor() = default;
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  virtual Result<> feed(std::string_view stored, const Sink& sink) = 0;
  /// After the last byte: Errc::corrupt when the blob ends in the middle.
  virtual Result<> end() = 0;
};

}  // namespace sock::image
