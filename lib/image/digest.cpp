// SHA-256 through OpenSSL.

#include "image/digest.hpp"

#include <algorithm>
#include <new>

#include <openssl/evp.h>

#include "base/try.hpp"
#include "image/stage.hpp"

namespace sock::image {
namespace {

constexpr std::string_view prefix = "sha256:";

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// What OpenSSL refuses here it refuses for want of memory: the algorithm is always there.
void require(int success) {
  if (success != 1) throw std::bad_alloc{};
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text, const std::string& what) {
  if (text.starts_with(prefix)) return from_hex(text.substr(prefix.size()), what);
  const bool is_other = text.find(':') != std::string_view::npos;
  return base::refuse(is_other ? Errc::unsupported : Errc::corrupt, image_stage,
                      what + ": digest '" + std::string{text.substr(0, 100)} + "'",
                      "it must be sha256:, and 64 hexadecimal digits");
}

Result<Digest> Digest::from_hex(std::string_view hex, const std::string& what) {
  if (hex.size() != 64 || !std::ranges::all_of(hex, is_hex_digit))
    return base::refuse(Errc::corrupt, image_stage,
                        what + ": digest '" + std::string{hex.substr(0, 100)} + "'",
                        "it must be sha256:, and 64 hexadecimal digits");
  return Digest{std::string{hex}};
}

Digest Digest::of(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

void Sha256::Free::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_{EVP_MD_CTX_new()} {
  require(context_ != nullptr ? 1 : 0);
  require(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
}

void Sha256::update(std::string_view bytes) {
  require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

void Sha256::update_zeros(std::uint64_t count) {
  static constexpr std::array<char, 64U << 10U> zeros{};
  while (count > 0) {
    const auto piece = std::min<std::uint64_t>(count, zeros.size());
    update({zeros.data(), static_cast<std::size_t>(piece)});
    count -= piece;
  }
}

Digest Sha256::finish() {
  std::array<unsigned char, 32> raw{};
  require(EVP_DigestFinal_ex(context_.get(), raw.data(), nullptr));
  require(EVP_DigestInit_ex(context_.get(), nullptr, nullptr));
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * raw.size());
  for (const unsigned char byte : raw) {
    hex += digits[byte >> 4U];
    hex += digits[byte & 15U];
  }
  return Digest{std::move(hex)};
}

}  // namespace sock::image
