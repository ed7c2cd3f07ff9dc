#pragma once

// SHA-256: the names of everything in a store.

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include <nettle/sha2.h>

#include "sock/result.hpp"

namespace sock::store {

/// The digest of some bytes. Also the name of an object in the store.
class Digest {
 public:
  /// "sha256:" and 64 lower-case digits; any other algorithm is Errc::unsupported.
  static Result<Digest> parse(std::string_view text, const std::string& what);
  /// 64 lower-case hexadecimal digits.
  static Result<Digest> from_hex(std::string_view hex, const std::string& what);
  static Digest of(std::string_view bytes);

  [[nodiscard]] const std::string& hex() const noexcept { return hex_; }
  [[nodiscard]] std::string to_string() const { return "sha256:" + hex_; }
  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  friend class Sha256;
  explicit Digest(std::string hex) : hex_{std::move(hex)} {}
  std::string hex_;
};

/// Hashes in pieces. Reusable: finish() starts again.
class Sha256 {
 public:
  Sha256() noexcept;
  void update(std::string_view bytes) noexcept;
  void update_zeros(std::uint64_t count) noexcept;
  Digest finish();

 private:
  sha256_ctx context_;
};

}  // namespace sock::store
