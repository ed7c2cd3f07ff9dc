#pragma once

// Bytes that come in pieces, from wherever: what an archive is read from, and what takes them.

#include <functional>
#include <string_view>

#include "sock/result.hpp"

namespace sock::store {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  /// The next bytes, valid until the next call; empty at their end.
  virtual Result<std::string_view> next() = 0;
};

/// Takes a piece of them; an error ends the work and comes back from whoever does it.
using Sink = std::function<Result<>(std::string_view)>;

}  // namespace sock::store
