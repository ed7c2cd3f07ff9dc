#pragma once

// RECORD of a wheel: its members with their hashes. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sock/result.hpp"

namespace sock::cache {

struct RecordedFile {
  std::string path;       ///< In the wheel, as it stands there.
  std::string hash = {};  ///< "sha256=...", or empty.
  std::optional<std::uint64_t> size = {};
};

/// Lines of comma-separated values, quoted where they need it. On failure: Errc::corrupt.
Result<std::vector<RecordedFile>> parse_wheel_record(std::string_view text);

/// As RECORD writes it, "sha256=..." in URL-safe base64, of 64 hexadecimal digits.
std::string recorded_hash(std::string_view hex);

}  // namespace sock::cache
