// gzip and zstd, both as streams of several members.

#include "image/decompressor.hpp"

#include <new>
#include <string>

#include <zlib.h>
#include <zstd.h>

#include "image/document.hpp"

namespace sock::image {
namespace {

constexpr std::size_t piece_size = 128U << 10U;
// Eight megabytes are what the format's specification asks decoders to have; zstd --long needs 27.
constexpr int most_window_bits = 27;

class Plain : public Decompressor {
 public:
  Result<> feed(std::string_view stored, const Sink& sink) override { return sink(stored); }
  Result<> end() override { return {}; }
};

class Gzip : public Decompressor {
 public:
  Gzip() {
    constexpr int gzip_only = 15 + 16;
    if (::inflateInit2(&stream_, gzip_only) != Z_OK) throw std::bad_alloc{};
  }
  ~Gzip() override { ::inflateEnd(&stream_); }

  Result<> feed(std::string_view stored, const Sink& sink) override {
    // zlib reads only, but takes no pointer to const.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stored.data()));
    stream_.avail_in = static_cast<uInt>(stored.size());
    while (stream_.avail_in > 0 || has_more_) {
      if (is_between_members_) {
        if (stream_.avail_in == 0) break;
        ::inflateReset(&stream_);
        is_between_members_ = false;
      }
      stream_.next_out = reinterpret_cast<Bytef*>(piece_.data());
      stream_.avail_out = static_cast<uInt>(piece_.size());
      const int status = ::inflate(&stream_, Z_NO_FLUSH);
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
        return corrupt("layer", std::string{"gzip: "} +
                                    (stream_.msg != nullptr ? stream_.msg : "damaged data"));
      has_more_ = stream_.avail_out == 0;
      is_between_members_ = status == Z_STREAM_END;
      if (auto taken = sink({piece_.data(), piece_.size() - stream_.avail_out}); !taken)
        return taken;
      if (status == Z_BUF_ERROR && !has_more_) break;
    }
    return {};
  }

  Result<> end() override {
    if (!is_between_members_) return corrupt("layer", "gzip: it is truncated");
    return {};
  }

 private:
  z_stream stream_{};
  std::string piece_ = std::string(piece_size, '\0');
  bool has_more_ = false;  ///< The last piece was full: there may be output without input.
  bool is_between_members_ = false;
};

class Zstd : public Decompressor {
 public:
  Zstd() : stream_{ZSTD_createDStream()} {
    if (stream_ == nullptr) throw std::bad_alloc{};
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, most_window_bits);
  }

  Result<> feed(std::string_view stored, const Sink& sink) override {
    ZSTD_inBuffer in{stored.data(), stored.size(), 0};
    bool has_more = false;
    while (in.pos < in.size || has_more) {
      ZSTD_outBuffer out{piece_.data(), piece_.size(), 0};
      const std::size_t left = ZSTD_decompressStream(stream_.get(), &out, &in);
      if (ZSTD_isError(left) != 0)
        return corrupt("layer", std::string{"zstd: "} + ZSTD_getErrorName(left));
      is_between_frames_ = left == 0;
      has_more = out.pos == out.size && left != 0;
      if (auto taken = sink({piece_.data(), out.pos}); !taken) return taken;
    }
    return {};
  }

  Result<> end() override {
    if (!is_between_frames_) return corrupt("layer", "zstd: it is truncated");
    return {};
  }

 private:
  std::unique_ptr<ZSTD_DStream, decltype([](ZSTD_DStream* s) { ZSTD_freeDStream(s); })> stream_;
  std::string piece_ = std::string(piece_size, '\0');
  bool is_between_frames_ = false;
};

bool starts_zstd(std::string_view start) {
  if (start.starts_with("\x28\xb5\x2f\xfd")) return true;
  // A skippable frame: 0x184D2A5? in little-endian, as zstd:chunked begins with one.
  return start.size() >= 4 && (static_cast<unsigned char>(start[0]) & 0xf0U) == 0x50U &&
         start.substr(1, 3) == "\x2a\x4d\x18";
}

}  // namespace

std::unique_ptr<Decompressor> Decompressor::for_start(std::string_view start) {
  if (start.starts_with("\x1f\x8b")) return std::make_unique<Gzip>();
  if (starts_zstd(start)) return std::make_unique<Zstd>();
  return std::make_unique<Plain>();
}

}  // namespace sock::image
