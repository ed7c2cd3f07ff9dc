// A scanner without recursion: what surrounds a value is a stack of bits.

#include "native/json_text.hpp"

#include <bitset>
#include <cstdint>
#include <cstdio>

namespace sock::zygote {
namespace {

constexpr std::size_t most_depth = 1000;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_hex(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// The length of the character that `text` begins with, 0 when it is none (RFC 3629, section 4).
std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  for (std::size_t at = 1; at < length; ++at)
    if ((byte(at) & 0xC0) != 0x80) return 0;
  // Too long for what they say, half a pair, or beyond the last.
  const std::uint8_t second = byte(1);
  const bool is_other = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return is_other ? 0 : length;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : rest_{text} {}

  bool document() noexcept {
    do {
      if (!begin_value()) return false;
      if (opened_) continue;
      if (!end_values()) return false;
    } while (opened_ || depth_ > 0);
    skip_space();
    return rest_.empty();
  }

 private:
  enum class Around : bool { array, object };

  /// Takes a scalar, an empty array or object, or the opening of one with members.
  bool begin_value() noexcept {
    skip_space();
    opened_ = false;
    if (take('{')) return begin_members(Around::object, '}');
    if (take('[')) return begin_members(Around::array, ']');
    if (take('"')) return string();
    return take_word("true") || take_word("false") || take_word("null") || number();
  }

  bool begin_members(Around around, char close) noexcept {
    skip_space();
    if (take(close)) return true;
    if (depth_ == most_depth) return false;
    is_object_[depth_++] = around == Around::object;
    opened_ = true;
    return around == Around::array || key();
  }

  /// After a value: to where the next one begins, or to the end of the outermost.
  bool end_values() noexcept {
    while (depth_ > 0) {
      const bool in_object = is_object_[depth_ - 1];
      skip_space();
      if (take(',')) return !in_object || key();
      if (!take(in_object ? '}' : ']')) return false;
      --depth_;
    }
    return true;
  }

  bool key() noexcept {
    skip_space();
    if (!take('"') || !string()) return false;
    skip_space();
    return take(':');
  }

  /// Behind its first quote.
  bool string() noexcept {
    while (!rest_.empty()) {
      if (take('"')) return true;
      if (take('\\')) {
        if (!escape()) return false;
        continue;
      }
      const std::size_t length = utf8_length(rest_);
      if (length == 0 || static_cast<std::uint8_t>(rest_.front()) < 0x20) return false;
      rest_.remove_prefix(length);
    }
    return false;
  }

  bool escape() noexcept {
    if (take('u')) {
      for (int digit = 0; digit < 4; ++digit)
        if (!take_if(is_hex)) return false;
      return true;
    }
    return take_if([](char c) { return std::string_view{"\"\\/bfnrt"}.find(c) < 8; });
  }

  bool number() noexcept {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (!take('e') && !take('E')) return true;
    if (!take('+')) take('-');
    return digits();
  }

  bool digits() noexcept {
    if (!take_if(is_digit)) return false;
    while (take_if(is_digit)) {
    }
    return true;
  }

  void skip_space() noexcept {
    while (take(' ') || take('\n') || take('\t') || take('\r')) {
    }
  }

  bool take(char wanted) noexcept {
    return take_if([wanted](char c) { return c == wanted; });
  }

  template <class Test>
  bool take_if(Test test) noexcept {
    if (rest_.empty() || !test(rest_.front())) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool take_word(std::string_view word) noexcept {
    // Not substr() or starts_with(), which may throw: the C++ library is not here.
    if (rest_.size() < word.size() || std::string_view{rest_.data(), word.size()} != word)
      return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  std::string_view rest_;
  std::bitset<most_depth> is_object_;
  std::size_t depth_ = 0;
  bool opened_ = false;  ///< The last value has members, of which none has been taken.
};

}  // namespace

bool is_json(std::string_view text) noexcept {
  return Scanner{text}.document();
}

void append_json_string(TextBuffer& buffer, std::string_view text) noexcept {
  buffer.append("\"");
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const char first = text.front();
    if (length == 0) {
      buffer.append("\\ufffd");
    } else if (static_cast<std::uint8_t>(first) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(first));
      buffer.append(escaped);
    } else {
      if (first == '"' || first == '\\') buffer.append("\\");
      buffer.append({text.data(), length});
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  buffer.append("\"");
}

}  // namespace sock::zygote
