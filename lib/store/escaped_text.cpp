// Escaping.

#include "store/escaped_text.hpp"

namespace sock::store {
namespace {

constexpr std::string_view version = "1";
constexpr std::string_view hex_digits = "0123456789abcdef";

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '.' || c == '/' || c == '+' || c == ':' || c == '@';
}

}  // namespace

std::string escape(std::string_view text) {
  if (text.empty()) return "-";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_plain(c)) {
      out += c;
    } else {
      out += '%';
      out += hex_digits[byte >> 4U];
      out += hex_digits[byte & 15U];
    }
  }
  return out;
}

std::optional<std::string> unescape(std::string_view word) {
  std::string out;
  if (word == "-") return out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (is_plain(word[i])) {
      out += word[i];
      continue;
    }
    if (word[i] != '%' || i + 2 >= word.size()) return std::nullopt;
    unsigned byte = 0;
    const auto [end, problem] = std::from_chars(word.data() + i + 1, word.data() + i + 3, byte, 16);
    if (problem != std::errc{} || end != word.data() + i + 3) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

std::string head_line(std::string_view word, std::uint64_t count) {
  return std::string{word} + ' ' + std::string{version} + ' ' + std::to_string(count) + '\n';
}

std::optional<std::uint64_t> count_in_head(std::optional<std::string_view> line,
                                           std::string_view word) {
  if (!line) return std::nullopt;
  Words head{*line};
  if (head.word() != word || head.word() != version) return std::nullopt;
  const auto count = head.number<std::uint64_t>();
  return head.ended_well() ? std::optional{count} : std::nullopt;
}

}  // namespace sock::store
