#pragma once

// Files in memory that nobody can change any more: what passes between functions without a copy.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "sock/fd.hpp"

#include "try.hpp"

namespace sockd {

/// A sealed file with this content.
sock::Result<sock::UniqueFd> seal(std::string_view content);
/// The size, in bytes, of a file that somebody else has made. On failure: Errc::invalid_spec for
/// what is no file in memory, or one that can still be written, or change its size.
sock::Result<std::uint64_t> require_sealed(sock::FdRef file);
/// What is in it. On failure: as require_sealed(), and Errc::exhausted for more than `most` bytes.
sock::Result<std::string> read_sealed(sock::FdRef file, std::size_t most);

/// What is in such a file, without a copy.
class SealedView {
 public:
  /// All `size` bytes of a file that require_sealed() has accepted.
  static sock::Result<SealedView> map(sock::FdRef file, std::uint64_t size);
  SealedView(SealedView&& other) noexcept : bytes_{std::exchange(other.bytes_, {})} {}
  SealedView& operator=(SealedView&&) = delete;
  ~SealedView();
  [[nodiscard]] std::string_view bytes() const noexcept { return bytes_; }

 private:
  explicit SealedView(std::string_view bytes) noexcept : bytes_{bytes} {}
  std::string_view bytes_;
};

/// Another descriptor of the same file.
sock::Result<sock::UniqueFd> another(sock::FdRef file);

}  // namespace sockd
