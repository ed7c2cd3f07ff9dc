#pragma once

// Bytes as text.

#include <string>
#include <string_view>

namespace sock::base {

/// Two lower-case hexadecimal digits for each byte.
inline std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += digits[value >> 4U];
    text += digits[value & 15U];
  }
  return text;
}

}  // namespace sock::base
