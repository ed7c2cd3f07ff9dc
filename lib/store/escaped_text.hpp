#pragma once

// Lines of words: how stores write paths, commands and numbers, so that any bytes can be in them.
// "-" is the empty text; bytes other than [A-Za-z0-9_./+:@] are %XX. Pure.

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sock::store {

std::string escape(std::string_view text);
/// Empty where other bytes are in it, or an escape is cut off.
std::optional<std::string> unescape(std::string_view word);

/// The words of one line, in order; what is missing or no number leaves a mark.
class Words {
 public:
  explicit Words(std::string_view line) : rest_{line} {}

  std::string_view word() {
    const auto word = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(std::min(rest_.size(), word.size() + 1));
    if (word.empty()) is_good_ = false;
    return word;
  }
  template <class Number>
  Number number(int base = 10) {
    const auto text = word();
    Number value{};
    const auto [end, problem] =
        std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (problem != std::errc{} || end != text.data() + text.size()) is_good_ = false;
    return value;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool ended_well() const { return is_good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool is_good_ = true;
};

/// The lines of a text, each with its newline taken off.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_{text} {}

  /// Empty at the end, and for a last line without a newline.
  std::optional<std::string_view> next() {
    const auto end = rest_.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const auto line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

/// "WORD 1 COUNT", how such a text begins.
std::string head_line(std::string_view word, std::uint64_t count);
/// The count; empty for another beginning, or of another version.
std::optional<std::uint64_t> count_in_head(std::optional<std::string_view> line,
                                           std::string_view word);

}  // namespace sock::store
