#pragma once

// What the kernel keeps in memory of a file. Errors carry no stage.

#include <cstdint>
#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

struct CachedRange {
  std::uint64_t offset;
  std::uint64_t length;
  friend bool operator==(const CachedRange&, const CachedRange&) = default;
};

/// Starts to read a range into the page cache (POSIX_FADV_WILLNEED). A length of 0 means to the
/// end.
Result<> advise_needed(FdRef file, std::uint64_t offset, std::uint64_t length);
/// Gives up what nobody has mapped, and nobody has yet to write (POSIX_FADV_DONTNEED).
Result<> advise_unneeded(FdRef file);
/// What is in memory of a file, in whole pages but for its end; neighbours are one range.
/// KERNEL: since 5.2 only for the file's owner, or who may write to it; to others all is there.
Result<std::vector<CachedRange>> cached_ranges(FdRef file);
/// How much of a range is in memory, in whole pages; cheap, however large the file is.
/// KERNEL: since 6.5, and for whom cached_ranges() tells the truth.
Result<std::uint64_t> cached_bytes(FdRef file, std::uint64_t offset, std::uint64_t length);

}  // namespace sock::sys
