#pragma once

// What gzip, xz and zstd make of bytes. Empty where they fail.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "store/decoder.hpp"

namespace sock::store {

inline std::string gzipped(std::string_view plain) {
  constexpr int gzip_header = 15 + 16;
  constexpr int usual_memory = 8;
  z_stream stream{};
  if (::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_header, usual_memory,
                     Z_DEFAULT_STRATEGY) != Z_OK)
    return {};
  std::string packed(::deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int status = ::deflate(&stream, Z_FINISH);
  packed.resize(status == Z_STREAM_END ? stream.total_out : 0);
  ::deflateEnd(&stream);
  return packed;
}

inline std::string xz_compressed(std::string_view plain) {
  constexpr std::uint32_t fastest = 0;
  std::string packed(::lzma_stream_buffer_bound(plain.size()), '\0');
  std::size_t size = 0;
  const lzma_ret status = ::lzma_easy_buffer_encode(
      fastest, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const std::uint8_t*>(plain.data()),
      plain.size(), reinterpret_cast<std::uint8_t*>(packed.data()), &size, packed.size());
  packed.resize(status == LZMA_OK ? size : 0);
  return packed;
}

inline std::string zstd_compressed(std::string_view plain) {
  std::string packed(::ZSTD_compressBound(plain.size()), '\0');
  const std::size_t size =
      ::ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 1);
  packed.resize(::ZSTD_isError(size) != 0 ? 0 : size);
  return packed;
}

struct Codec {
  const char* ending;  ///< Of a file's name.
  std::string (*compressed)(std::string_view plain);
  std::unique_ptr<Decoder> (*decoder)(std::string subject);
};

inline constexpr std::array codecs{Codec{".gz", gzipped, gzip_decoder},
                                   Codec{".xz", xz_compressed, xz_decoder},
                                   Codec{".zst", zstd_compressed, zstd_decoder}};

}  // namespace sock::store
