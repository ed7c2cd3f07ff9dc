// Decoding on demand.

#include "store/decoded_stream.hpp"

#include <utility>

#include "base/try.hpp"
#include "store/stage.hpp"

namespace sock::store {
namespace {

constexpr std::uint64_t unjudged_bytes = 64ULL << 20U;

}  // namespace

DecodedStream::DecodedStream(ByteStream& stored, std::unique_ptr<Decoder> decoder,
                             DecodingLimits limits)
    : stored_{stored}, decoder_{std::move(decoder)}, limits_{std::move(limits)} {}

Result<std::string_view> DecodedStream::next() {
  if (!decoder_) return counted(SOCK_TRY(next_stored()));
  for (;;) {
    const auto step = SOCK_TRY(decoder_->step(left_));
    left_.remove_prefix(step.taken);
    if (!step.decoded.empty()) return counted(step.decoded);
    if (!left_.empty()) continue;
    left_ = SOCK_TRY(next_stored());
    if (!left_.empty()) continue;
    SOCK_TRY(decoder_->end());
    return std::string_view{};
  }
}

Result<std::string_view> DecodedStream::next_stored() {
  const auto piece = SOCK_TRY(stored_.next());
  stored_bytes_ += piece.size();
  return piece;
}

Result<std::string_view> DecodedStream::counted(std::string_view decoded) {
  const auto beyond = [this](const char* limit) {
    return base::refuse(Errc::exhausted, store_stage, limits_.subject,
                        std::string{"beyond the limit of an import: "} + limit);
  };
  decoded_bytes_ += decoded.size();
  if (decoded_bytes_ > limits_.bytes_max) return beyond("bytes_max");
  if (decoded_bytes_ > unjudged_bytes && decoded_bytes_ / limits_.ratio_max > stored_bytes_)
    return beyond("ratio_max");
  return decoded;
}

}  // namespace sock::store
