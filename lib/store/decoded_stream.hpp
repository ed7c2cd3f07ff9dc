#pragma once

// A stream of what is compressed, read as what it decodes to.

#include <memory>
#include <string_view>

#include "sock/result.hpp"

#include "store/byte_stream.hpp"
#include "store/decoder.hpp"

namespace sock::store {

/// Thread-bound.
class DecodedStream : public ByteStream {
 public:
  /// The stream is borrowed. Without a decoder it comes as it is.
  DecodedStream(ByteStream& stored, std::unique_ptr<Decoder> decoder) noexcept;
  /// At most 128 KiB of a decoder. On failure: also Errc::corrupt where the stream ends in the
  /// middle.
  Result<std::string_view> next() override;

 private:
  ByteStream& stored_;
  const std::unique_ptr<Decoder> decoder_;
  std::string_view left_;  ///< Of the last piece: what the decoder has not taken.
};

}  // namespace sock::store
