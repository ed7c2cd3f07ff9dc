#pragma once

// The bytes of a file.

#include <string>
#include <string_view>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "store/byte_stream.hpp"

namespace sock::store {

/// Thread-bound.
class FileStream : public ByteStream {
 public:
  /// From where it stands. The file is borrowed.
  explicit FileStream(FdRef file);
  Result<std::string_view> next() override;

 private:
  const FdRef file_;
  std::string buffer_;
};

}  // namespace sock::store
