#pragma once

// Files in memory that nobody can change any more: what passes between functions without a copy.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sock/fd.hpp"

#include "try.hpp"

namespace sockd {

/// A file that require_sealed() has accepted.
struct SealedObject {
  sock::UniqueFd file;
  std::uint64_t size;
};

/// A file that is written, and sealed then.
sock::Result<sock::UniqueFd> open_memory();
sock::Result<> seal_memory(sock::FdRef file);
/// A sealed file with this content.
sock::Result<sock::UniqueFd> seal(std::string_view content);
/// The size, in bytes, of a file that somebody else has made. On failure: Errc::invalid_spec for
/// what is no file in memory, or one that can still be written, or change its size.
sock::Result<std::uint64_t> require_sealed(sock::FdRef file);
/// Fills `into` with what such a file has from there on. It does so without mapping it: what is a
/// hole would become memory, and ours.
sock::Result<> read_sealed_at(sock::FdRef file, std::uint64_t from, std::span<char> into);
/// What is in it. On failure: as require_sealed(), and Errc::exhausted for more than `most` bytes.
sock::Result<std::string> read_sealed(sock::FdRef file, std::size_t most);

/// The same file, opened anew to be read: who has that one is not who has the other.
sock::Result<sock::UniqueFd> open_again(sock::FdRef file);
/// Whether nobody has opened the file again but the caller, or maps what was opened again. Not seen
/// is the descriptor that memfd_create() has given its maker, and what that maps. The caller has it
/// by open_again() alone.
bool is_nobody_elses(sock::FdRef opened_again);

}  // namespace sockd
