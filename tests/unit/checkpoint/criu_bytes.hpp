#pragma once

// CRIU's images, written by hand: fields of protobuf messages, and messages with their lengths.

#include <cstdint>
#include <string>
#include <vector>

namespace sock::checkpoint {

inline std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7U) bytes += static_cast<char>(value | 128U);
  return bytes + static_cast<char>(value);
}
inline std::string number(unsigned field, std::uint64_t value) {
  return varint(field << 3U) + varint(value);
}
inline std::string text(unsigned field, const std::string& value) {
  return varint((field << 3U) | 2U) + varint(value.size()) + value;
}
inline std::string word(std::uint32_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
inline std::string image(const std::vector<std::string>& messages) {
  std::string bytes = word(0x54564319) + word(0x12345678);
  for (const auto& each : messages) bytes += word(static_cast<std::uint32_t>(each.size())) + each;
  return bytes;
}

}  // namespace sock::checkpoint
