// PEP 440: the normal form and what it allows beside it.

#include "cache/version.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sock::cache {
namespace {

constexpr std::size_t most_characters = 128;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_separator(char c) {
  return c == '.' || c == '-' || c == '_';
}

}  // namespace

/// Takes one part after another off the front.
class VersionText {
 public:
  explicit VersionText(std::string text) : text_{std::move(text)} {}

  std::optional<Version> parse() {
    Version version;
    take("v");
    if (!take_release(version)) return std::nullopt;
    take_pre(version);
    take_post(version);
    if (take_word({"dev"})) version.dev_ = number().value_or(0);
    if (take("+") && !take_local(version)) return std::nullopt;
    return at_ == text_.size() ? std::optional{std::move(version)} : std::nullopt;
  }

 private:
  [[nodiscard]] std::string_view rest() const { return std::string_view{text_}.substr(at_); }

  bool take(std::string_view what) {
    if (!rest().starts_with(what)) return false;
    at_ += what.size();
    return true;
  }

  std::optional<std::uint64_t> number() {
    std::uint64_t value = 0;
    const auto left = rest();
    const auto [end, problem] = std::from_chars(left.data(), left.data() + left.size(), value);
    if (problem != std::errc{}) return std::nullopt;
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }

  bool take_release(Version& version) {
    auto first = number();
    if (first && take("!")) {
      version.epoch_ = *first;
      first = number();
    }
    if (!first) return false;
    version.release_.push_back(*first);
    while (at_ + 1 < text_.size() && text_[at_] == '.' && is_digit(text_[at_ + 1])) {
      ++at_;
      const auto next = number();
      if (!next) return false;
      version.release_.push_back(*next);
    }
    return true;
  }

  // One of the words, with a separator before it and another behind it.
  std::optional<std::string_view> take_word(std::initializer_list<std::string_view> words) {
    const std::size_t start = at_;
    if (at_ < text_.size() && is_separator(text_[at_])) ++at_;
    for (const auto word : words) {
      if (!take(word)) continue;
      if (at_ + 1 < text_.size() && is_separator(text_[at_]) && is_digit(text_[at_ + 1])) ++at_;
      return word;
    }
    at_ = start;
    return std::nullopt;
  }

  void take_pre(Version& version) {
    // Longer words first: "c" begins nothing else, but "a" begins "alpha".
    const auto word = take_word({"alpha", "beta", "preview", "pre", "rc", "a", "b", "c"});
    if (!word) return;
    const char phase = *word == "alpha" || *word == "a"  ? 'a'
                       : *word == "beta" || *word == "b" ? 'b'
                                                         : 'r';
    version.pre_ = {.phase = phase, .number = number().value_or(0)};
  }

  void take_post(Version& version) {
    if (at_ + 1 < text_.size() && text_[at_] == '-' && is_digit(text_[at_ + 1])) {
      ++at_;
      version.post_ = number();
    } else if (take_word({"post", "rev", "r"})) {
      version.post_ = number().value_or(0);
    }
  }

  bool take_local(Version& version) {
    std::string part;
    for (; at_ <= text_.size(); ++at_) {
      const bool ends = at_ == text_.size() || is_separator(text_[at_]);
      if (!ends) {
        part += text_[at_];
        continue;
      }
      if (part.empty()) return false;
      Version::LocalPart local{.is_number = std::ranges::all_of(part, is_digit), .number = 0};
      if (local.is_number)
        std::from_chars(part.data(), part.data() + part.size(), local.number);
      else
        local.text = part;
      version.local_.push_back(std::move(local));
      part.clear();
    }
    at_ = text_.size();
    return true;
  }

  const std::string text_;
  std::size_t at_ = 0;
};

std::optional<Version> Version::parse(std::string_view text) {
  if (text.size() > most_characters) return std::nullopt;
  std::string lowered{text};
  std::ranges::transform(lowered, lowered.begin(), lower);
  return VersionText{std::move(lowered)}.parse();
}

Version Version::without_local() const {
  Version copy = *this;
  copy.local_.clear();
  return copy;
}

bool Version::starts_with(const Version& prefix) const {
  if (epoch_ != prefix.epoch_) return false;
  for (std::size_t i = 0; i < prefix.release_.size(); ++i)
    if ((i < release_.size() ? release_[i] : 0) != prefix.release_[i]) return false;
  return true;
}

std::optional<Version> Version::without_last_number() const {
  if (release_.size() < 2) return std::nullopt;
  Version prefix;
  prefix.epoch_ = epoch_;
  prefix.release_.assign(release_.begin(), release_.end() - 1);
  return prefix;
}

bool Version::has_same_release(const Version& other) const {
  return starts_with(other) && other.starts_with(*this);
}

std::strong_ordering operator<=>(const Version& a, const Version& b) {
  if (const auto order = a.epoch_ <=> b.epoch_; order != 0) return order;
  for (std::size_t i = 0; i < std::max(a.release_.size(), b.release_.size()); ++i) {
    const auto of_a = i < a.release_.size() ? a.release_[i] : 0;
    const auto of_b = i < b.release_.size() ? b.release_[i] : 0;
    if (of_a != of_b) return of_a <=> of_b;
  }
  // 1.0.dev1 is before 1.0a1, and that before 1.0.
  const auto rank = [](const Version& v) { return v.pre_ ? 1 : (v.dev_ && !v.post_ ? 0 : 2); };
  if (const auto order = rank(a) <=> rank(b); order != 0) return order;
  if (const auto order = a.pre_ <=> b.pre_; order != 0) return order;
  if (const auto order = a.post_ <=> b.post_; order != 0) return order;
  // Without "dev" is after it.
  if (a.dev_.has_value() != b.dev_.has_value())
    return a.dev_ ? std::strong_ordering::less : std::strong_ordering::greater;
  if (const auto order = a.dev_ <=> b.dev_; order != 0) return order;
  return a.local_ <=> b.local_;
}

std::strong_ordering compare_versions(std::string_view a, std::string_view b) {
  const auto version_a = Version::parse(a);
  const auto version_b = Version::parse(b);
  if (version_a && version_b) return *version_a <=> *version_b;
  if (version_a.has_value() != version_b.has_value())
    return version_a ? std::strong_ordering::greater : std::strong_ordering::less;
  return a <=> b;
}

}  // namespace sock::cache
