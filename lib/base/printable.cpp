// Text of others, made safe to show: what a terminal would obey, what would begin a new line and
// what would reorder a line is escaped byte by byte. Other alphabets stay readable.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "sock/result.hpp"

namespace sock {
namespace {

struct Character {
  std::uint32_t value;
  std::size_t length;  ///< in bytes; 0: no UTF-8
};

// The shortest form of a code point that is no surrogate, as RFC 3629 wants it.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {0, 0};
  std::uint32_t value = lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return {0, 0};
    value = (value << 6U) | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < smallest[length] || surrogate || value > 0x10ffff) return {0, 0};
  return {value, length};
}

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};
constexpr std::array harmful{
    Range{0x00, 0x1f},      // C0
    Range{0x7f, 0x9f},      // DEL and C1: U+009B begins an escape sequence
    Range{0x061c, 0x061c},  // Arabic letter mark
    Range{0x200b, 0x200b},  // zero width space; the joiners beside it belong to alphabets
    Range{0x200e, 0x200f},  // left-to-right and right-to-left marks
    Range{0x2028, 0x202e},  // line and paragraph separators, bidirectional embeddings and overrides
    Range{0x2060, 0x206f},  // invisible operators, bidirectional isolates
    Range{0xfeff, 0xfeff},  // byte order mark
    Range{0xe0000, 0xe007f},  // invisible tags
};

bool is_harmful(Character character) {
  return character.length == 0 || std::ranges::any_of(harmful, [&](const Range& range) {
           return character.value >= range.first && character.value <= range.last;
         });
}

void append_escaped(std::string& out, std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += "\\x";
    out += digits[byte >> 4U];
    out += digits[byte & 0xfU];
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character character = first_character(text);
    const auto bytes = text.substr(0, std::max<std::size_t>(character.length, 1));
    if (is_harmful(character))
      append_escaped(out, bytes);
    else
      out += bytes;
    text.remove_prefix(bytes.size());
  }
  return out;
}

}  // namespace sock
