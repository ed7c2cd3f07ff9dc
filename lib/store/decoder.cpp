// gzip, xz and zstd.

#include "store/decoder.hpp"

#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "store/stage.hpp"

namespace sock::store {
namespace {

constexpr std::size_t piece_size = 128U << 10U;
// Eight megabytes are what the format's specification asks decoders to have; zstd --long needs 27.
constexpr int most_window_bits = 27;
// xz -9 needs 65 MiB.
constexpr std::uint64_t most_xz_memory = 128ULL << 20U;

class Gzip : public Decoder {
 public:
  explicit Gzip(std::string subject) : subject_{std::move(subject)} {
    constexpr int gzip_only = 15 + 16;
    if (::inflateInit2(&stream_, gzip_only) != Z_OK) throw std::bad_alloc{};
  }
  ~Gzip() override { ::inflateEnd(&stream_); }

  Result<Step> step(std::string_view stored) override {
    if (is_between_streams_ && stored.empty()) return Step{};
    if (is_between_streams_) ::inflateReset(&stream_);
    is_between_streams_ = false;
    // zlib reads only, but takes no pointer to const.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stored.data()));
    stream_.avail_in = static_cast<uInt>(stored.size());
    stream_.next_out = reinterpret_cast<Bytef*>(piece_.data());
    stream_.avail_out = static_cast<uInt>(piece_.size());
    const int status = ::inflate(&stream_, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
      return corrupt(subject_, std::string{"gzip: "} +
                                   (stream_.msg != nullptr ? stream_.msg : "damaged data"));
    is_between_streams_ = status == Z_STREAM_END;
    return Step{.taken = stored.size() - stream_.avail_in,
                .decoded = {piece_.data(), piece_.size() - stream_.avail_out}};
  }

  Result<> end() const override {
    if (!is_between_streams_) return corrupt(subject_, "gzip: it is truncated");
    return {};
  }

 private:
  const std::string subject_;
  z_stream stream_{};
  std::string piece_ = std::string(piece_size, '\0');
  bool is_between_streams_ = false;
};

const char* words_for(lzma_ret status) {
  const bool is_memory = status == LZMA_MEMLIMIT_ERROR || status == LZMA_MEM_ERROR;
  return is_memory ? "xz: it takes too much memory" : "xz: damaged data";
}

class Xz : public Decoder {
 public:
  explicit Xz(std::string subject) : subject_{std::move(subject)} {
    if (begin() != LZMA_OK) throw std::bad_alloc{};
  }
  ~Xz() override { ::lzma_end(&stream_); }

  Result<Step> step(std::string_view stored) override {
    // Zeros may stand between streams, and behind the last one, in fours.
    std::size_t zeros = 0;
    if (is_between_streams_) zeros = std::min(stored.find_first_not_of('\0'), stored.size());
    padding_ += zeros;
    stored.remove_prefix(zeros);
    if (is_between_streams_ && stored.empty()) return Step{.taken = zeros, .decoded = {}};
    if (padding_ % 4 != 0) return corrupt(subject_, words_for(LZMA_DATA_ERROR));
    padding_ = 0;
    lzma_ret status = is_between_streams_ ? begin() : LZMA_OK;
    is_between_streams_ = false;
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(stored.data());
    stream_.avail_in = stored.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(piece_.data());
    stream_.avail_out = piece_.size();
    if (status == LZMA_OK) status = ::lzma_code(&stream_, LZMA_RUN);
    // LZMA_BUF_ERROR: it was given nothing, a second time.
    if (status != LZMA_OK && status != LZMA_STREAM_END && status != LZMA_BUF_ERROR)
      return corrupt(subject_, words_for(status));
    is_between_streams_ = status == LZMA_STREAM_END;
    return Step{.taken = zeros + stored.size() - stream_.avail_in,
                .decoded = {piece_.data(), piece_.size() - stream_.avail_out}};
  }

  Result<> end() const override {
    if (!is_between_streams_ || padding_ % 4 != 0) return corrupt(subject_, "xz: it is truncated");
    return {};
  }

 private:
  lzma_ret begin() { return ::lzma_stream_decoder(&stream_, most_xz_memory, 0); }

  const std::string subject_;
  lzma_stream stream_{};
  std::string piece_ = std::string(piece_size, '\0');
  std::size_t padding_ = 0;  ///< Bytes since the last stream.
  bool is_between_streams_ = false;
};

class Zstd : public Decoder {
 public:
  explicit Zstd(std::string subject) : subject_{std::move(subject)}, stream_{ZSTD_createDStream()} {
    if (stream_ == nullptr) throw std::bad_alloc{};
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, most_window_bits);
  }

  Result<Step> step(std::string_view stored) override {
    if (stored.empty() && !has_more_) return Step{};
    ZSTD_inBuffer in{stored.data(), stored.size(), 0};
    ZSTD_outBuffer out{piece_.data(), piece_.size(), 0};
    const std::size_t left = ZSTD_decompressStream(stream_.get(), &out, &in);
    if (ZSTD_isError(left) != 0)
      return corrupt(subject_, std::string{"zstd: "} + ZSTD_getErrorName(left));
    is_between_frames_ = left == 0;
    has_more_ = out.pos == out.size && left != 0;
    return Step{.taken = in.pos, .decoded = {piece_.data(), out.pos}};
  }

  Result<> end() const override {
    if (!is_between_frames_) return corrupt(subject_, "zstd: it is truncated");
    return {};
  }

 private:
  const std::string subject_;
  std::unique_ptr<ZSTD_DStream, decltype([](ZSTD_DStream* s) { ZSTD_freeDStream(s); })> stream_;
  std::string piece_ = std::string(piece_size, '\0');
  bool has_more_ = false;  ///< The last piece was full: there may be output without input.
  bool is_between_frames_ = false;
};

}  // namespace

std::unique_ptr<Decoder> gzip_decoder(std::string subject) {
  return std::make_unique<Gzip>(std::move(subject));
}

std::unique_ptr<Decoder> xz_decoder(std::string subject) {
  return std::make_unique<Xz>(std::move(subject));
}

std::unique_ptr<Decoder> zstd_decoder(std::string subject) {
  return std::make_unique<Zstd>(std::move(subject));
}

}  // namespace sock::store
