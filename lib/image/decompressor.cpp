// Which decoder a layer needs, and what it decodes.

#include "image/decompressor.hpp"

#include "base/try.hpp"

namespace sock::image {
namespace {

bool starts_zstd(std::string_view start) {
  if (start.starts_with("\x28\xb5\x2f\xfd")) return true;
  // A skippable frame: 0x184D2A5? in little-endian, as zstd:chunked begins with one.
  return start.size() >= 4 && (static_cast<unsigned char>(start[0]) & 0xf0U) == 0x50U &&
         start.substr(1, 3) == "\x2a\x4d\x18";
}

std::unique_ptr<store::Decoder> decoder_for(std::string_view start) {
  if (start.starts_with("\x1f\x8b")) return store::gzip_decoder("layer");
  if (starts_zstd(start)) return store::zstd_decoder("layer");
  return nullptr;
}

}  // namespace

Decompressor::Decompressor(std::string_view start) : decoder_{decoder_for(start)} {}

Result<> Decompressor::feed(std::string_view stored, const Sink& sink) {
  if (!decoder_) return sink(stored);
  for (;;) {
    const auto step = SOCK_TRY(decoder_->step(stored));
    if (step.taken == 0 && step.decoded.empty()) return {};
    stored.remove_prefix(step.taken);
    SOCK_TRY(sink(step.decoded));
  }
}

Result<> Decompressor::end() const {
  return decoder_ ? decoder_->end() : Result<>{};
}

}  // namespace sock::image
