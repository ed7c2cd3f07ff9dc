// SHA-256 through Nettle (docs/decisions/image-libraries.md).

#include "store/digest.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "store/stage.hpp"

namespace sock::store {
namespace {

constexpr std::string_view prefix = "sha256:";

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text, const std::string& what) {
  if (text.starts_with(prefix)) return from_hex(text.substr(prefix.size()), what);
  const bool is_other = text.find(':') != std::string_view::npos;
  return base::refuse(is_other ? Errc::unsupported : Errc::corrupt, store_stage,
                      what + ": digest '" + std::string{text.substr(0, 100)} + "'",
                      "it must be sha256:, and 64 hexadecimal digits");
}

Result<Digest> Digest::from_hex(std::string_view hex, const std::string& what) {
  if (hex.size() != 64 || !std::ranges::all_of(hex, is_hex_digit))
    return base::refuse(Errc::corrupt, store_stage,
                        what + ": digest '" + std::string{hex.substr(0, 100)} + "'",
                        "it must be sha256:, and 64 hexadecimal digits");
  return Digest{std::string{hex}};
}

Digest Digest::of(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Sha256::Sha256() noexcept {
  sha256_init(&context_);
}

void Sha256::update(std::string_view bytes) noexcept {
  sha256_update(&context_, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
}

void Sha256::update_zeros(std::uint64_t count) noexcept {
  static constexpr std::array<char, 64U << 10U> zeros{};
  while (count > 0) {
    const auto piece = std::min<std::uint64_t>(count, zeros.size());
    update({zeros.data(), static_cast<std::size_t>(piece)});
    count -= piece;
  }
}

Digest Sha256::finish() {
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> raw{};
  sha256_digest(&context_, raw.size(), raw.data());  // And starts again.
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * raw.size());
  for (const std::uint8_t byte : raw) {
    hex += digits[byte >> 4U];
    hex += digits[byte & 15U];
  }
  return Digest{std::move(hex)};
}

}  // namespace sock::store
