#pragma once

// A stream of what is compressed, read as what it decodes to.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sock/result.hpp"

#include "store/byte_stream.hpp"
#include "store/decoder.hpp"

namespace sock::store {

/// What decoding may come to: time, where nobody keeps the bytes.
struct DecodingLimits {
  std::string subject;  ///< Of the errors.
  std::uint64_t bytes_max;
  std::uint32_t ratio_max;  ///< Decoded bytes for each stored one, beyond the first 64 MiB.
};

/// Thread-bound.
class DecodedStream : public ByteStream {
 public:
  /// The stream is borrowed. Without a decoder it comes as it is.
  DecodedStream(ByteStream& stored, std::unique_ptr<Decoder> decoder, DecodingLimits limits);
  /// At most 128 KiB of a decoder. On failure: also Errc::corrupt where the stream ends in the
  /// middle, and Errc::exhausted beyond a limit. What is damaged may be known at the end alone:
  /// read on until that.
  Result<std::string_view> next() override;

 private:
  Result<std::string_view> next_stored();
  Result<std::string_view> counted(std::string_view decoded);

  ByteStream& stored_;
  const std::unique_ptr<Decoder> decoder_;
  const DecodingLimits limits_;
  std::string_view left_;  ///< Of the last piece: what the decoder has not taken.
  std::uint64_t stored_bytes_ = 0;
  std::uint64_t decoded_bytes_ = 0;
};

}  // namespace sock::store
