#pragma once

// Files in memory that nobody can change any more: what passes between functions without a copy.

#include <cstdint>
#include <string>
#include <string_view>

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

/// Another descriptor of the same file.
sock::Result<sock::UniqueFd> another(sock::FdRef file);

}  // namespace sockd
