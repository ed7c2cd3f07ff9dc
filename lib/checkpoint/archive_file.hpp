#pragma once

// The bytes of an archive that somebody else has made, for its reader: counted for whoever waits,
// and bounded where libarchive keeps what it reads in memory.

#include <cstdint>
#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "store/byte_stream.hpp"
#include "store/progress_meter.hpp"

namespace sock::checkpoint {

/// Thread-bound.
class ArchiveFile : public store::ByteStream {
 public:
  /// Both are borrowed. `name` is for errors.
  ArchiveFile(FdRef file, std::string name, store::ProgressMeter& progress);

  /// From here on the header of one entry is read: names, attributes, a list of holes.
  void begin_header() noexcept { left_ = most_header; }
  /// From here on its data is read, and bounded by whoever takes it.
  void begin_data() noexcept { left_ = unbounded; }
  Result<std::string_view> next() override;

 private:
  static constexpr std::uint64_t most_header = 8U << 20U;
  static constexpr std::uint64_t unbounded = ~std::uint64_t{0};
  FdRef file_;
  const std::string name_;
  store::ProgressMeter& progress_;
  std::uint64_t left_ = most_header;
  std::string buffer_;
};

}  // namespace sock::checkpoint
