#pragma once

// What is compressed, decoded step by step in bounded memory.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "sock/result.hpp"

namespace sock::store {

/// Of one compression: a stream, or several behind one another. Thread-bound.
class Decoder {
 public:
  struct Step {
    std::size_t taken;         ///< Of the bytes that were given; the others are given again.
    std::string_view decoded;  ///< At most 128 KiB, valid until the next step.
  };

  virtual ~Decoder() = default;
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Takes nothing and decodes nothing only when it is given nothing, and has nothing left.
  /// On failure: Errc::corrupt for damaged data, and for what takes too much memory to decode.
  virtual Result<Step> step(std::string_view stored) = 0;
  /// After the last byte: Errc::corrupt in the middle of a stream.
  [[nodiscard]] virtual Result<> end() const = 0;
};

/// `subject` is what errors are about.
std::unique_ptr<Decoder> gzip_decoder(std::string subject);
std::unique_ptr<Decoder> xz_decoder(std::string subject);
std::unique_ptr<Decoder> zstd_decoder(std::string subject);

}  // namespace sock::store
