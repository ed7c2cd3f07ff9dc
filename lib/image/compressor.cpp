// gzip and zstd, with the levels that other tools use.

#include "image/compressor.hpp"

#include <new>
#include <string>

#include <zlib.h>
#include <zstd.h>

namespace sock::image {
namespace {

constexpr std::size_t piece_size = 128U << 10U;

class Plain : public Compressor {
 public:
  Result<> feed(std::string_view plain, const Sink& sink) override { return sink(plain); }
  Result<> end(const Sink&) override { return {}; }
};

class Gzip : public Compressor {
 public:
  Gzip() {
    constexpr int gzip_header = 15 + 16;
    constexpr int usual_memory = 8;
    if (::deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_header, usual_memory,
                       Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc{};
  }
  ~Gzip() override { ::deflateEnd(&stream_); }

  Result<> feed(std::string_view plain, const Sink& sink) override {
    return run(plain, Z_NO_FLUSH, sink);
  }
  Result<> end(const Sink& sink) override { return run({}, Z_FINISH, sink); }

 private:
  Result<> run(std::string_view plain, int flush, const Sink& sink) {
    // zlib reads only, but takes no pointer to const.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    stream_.avail_in = static_cast<uInt>(plain.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(piece_.data());
      stream_.avail_out = static_cast<uInt>(piece_.size());
      ::deflate(&stream_, flush);
      const std::string_view done{piece_.data(), piece_.size() - stream_.avail_out};
      if (auto taken = sink(done); !taken) return taken;
    } while (stream_.avail_out == 0);
    return {};
  }

  z_stream stream_{};
  std::string piece_ = std::string(piece_size, '\0');
};

class Zstd : public Compressor {
 public:
  Zstd() : stream_{ZSTD_createCStream()} {
    if (stream_ == nullptr) throw std::bad_alloc{};
  }

  Result<> feed(std::string_view plain, const Sink& sink) override {
    return run(plain, ZSTD_e_continue, sink);
  }
  Result<> end(const Sink& sink) override { return run({}, ZSTD_e_end, sink); }

 private:
  Result<> run(std::string_view plain, ZSTD_EndDirective mode, const Sink& sink) {
    ZSTD_inBuffer in{plain.data(), plain.size(), 0};
    for (;;) {
      ZSTD_outBuffer out{piece_.data(), piece_.size(), 0};
      const std::size_t left = ZSTD_compressStream2(stream_.get(), &out, &in, mode);
      // Its only failure is memory: all parameters are its own.
      if (ZSTD_isError(left) != 0) throw std::bad_alloc{};
      if (auto taken = sink({piece_.data(), out.pos}); !taken) return taken;
      const bool is_done = mode == ZSTD_e_end ? left == 0 : in.pos == in.size;
      if (is_done) return {};
    }
  }

  std::unique_ptr<ZSTD_CStream, decltype([](ZSTD_CStream* s) { ZSTD_freeCStream(s); })> stream_;
  std::string piece_ = std::string(piece_size, '\0');
};

}  // namespace

std::unique_ptr<Compressor> Compressor::make(Compression kind) {
  switch (kind) {
    case Compression::none:
      return std::make_unique<Plain>();
    case Compression::gzip:
      return std::make_unique<Gzip>();
    case Compression::zstd:
      return std::make_unique<Zstd>();
  }
  return std::make_unique<Plain>();
}

}  // namespace sock::image
