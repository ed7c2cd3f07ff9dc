#pragma once

// Layers as they are written: plain, gzip or zstd.

#include <memory>

#include "sock/image.hpp"
#include "sock/result.hpp"

#include "image/decompressor.hpp"

namespace sock::image {

class Compressor {
 public:
  static std::unique_ptr<Compressor> make(Compression kind);
  virtual ~Compressor() = default;
  Compressor() = default;
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  /// `sink` takes what is compressed so far.
  virtual Result<> feed(std::string_view plain, const Sink& sink) = 0;
  virtual Result<> end(const Sink& sink) = 0;
};

}  // namespace sock::image
