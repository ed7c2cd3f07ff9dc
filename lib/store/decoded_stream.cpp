// Decoding on demand.

#include "store/decoded_stream.hpp"

#include <utility>

#include "base/try.hpp"

namespace sock::store {

DecodedStream::DecodedStream(ByteStream& stored, std::unique_ptr<Decoder> decoder) noexcept
    : stored_{stored}, decoder_{std::move(decoder)} {}

Result<std::string_view> DecodedStream::next() {
  if (!decoder_) return stored_.next();
  for (;;) {
    const auto step = SOCK_TRY(decoder_->step(left_));
    left_.remove_prefix(step.taken);
    if (!step.decoded.empty()) return step.decoded;
    if (!left_.empty()) continue;
    left_ = SOCK_TRY(stored_.next());
    if (!left_.empty()) continue;
    SOCK_TRY(decoder_->end());
    return std::string_view{};
  }
}

}  // namespace sock::store
