#pragma once

// Reading one object of a JSON document: what is missing or of another type gives a default, and is
// remembered; so a whole description is read without a branch for each field, and judged once.

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/bounded_json.hpp"

namespace sock::checkpoint {

/// Borrows the object.
class Reader {
 public:
  using json = nlohmann::json;
  explicit Reader(const json& object) : object_{object} {}

  std::string text(const char* name) { return bytes(find(name)); }
  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> all;
    for (const json& item : list(name)) all.push_back(bytes(&item));
    return all;
  }
  template <class Number>
  Number number(const char* name) {
    const json* const value = find(name);
    if (value == nullptr || !value->is_number_unsigned() ||
        value->get<std::uint64_t>() > std::numeric_limits<Number>::max())
      return mistake<Number>();
    return value->get<Number>();
  }
  template <class Number>
  std::optional<Number> maybe(const char* name) {
    if (find(name) == nullptr) return std::nullopt;
    return number<Number>(name);
  }
  bool flag(const char* name) {
    const json* const value = find(name);
    return value != nullptr && value->is_boolean() ? value->get<bool>() : mistake<bool>();
  }
  template <class Words>
  auto word(const char* name, const Words& words) {
    const auto text_of_word = text(name);
    const auto* const found = std::ranges::find(
        words, text_of_word, [](const auto& pair) { return std::string_view{pair.second}; });
    if (found == words.end()) return mistake(words.front().first);
    return found->first;
  }
  const json& list(const char* name) {
    static const json nothing = json::array();
    const json* const value = find(name);
    return value != nullptr && value->is_array() ? *value : mistake<const json&>(nothing);
  }
  const json& object(const char* name) {
    static const json nothing = json::object();
    const json* const value = find(name);
    return value != nullptr && value->is_object() ? *value : mistake<const json&>(nothing);
  }
  std::string hex(const char* name) { return unhex(text(name)); }
  [[nodiscard]] const json* find(const char* name) const {
    return base::find_member(object_, name);
  }
  [[nodiscard]] bool is_good() const noexcept { return is_good_; }
  /// For mistakes in what is inside.
  void require(bool good) noexcept { is_good_ = is_good_ && good; }

 private:
  template <class T>
  T mistake(T value = {}) {
    is_good_ = false;
    return value;
  }
  std::string bytes(const json* value) {
    if (value != nullptr && value->is_string()) return value->get<std::string>();
    const json* const digits = value != nullptr ? base::find_member(*value, "hex") : nullptr;
    if (digits == nullptr || !digits->is_string()) return mistake<std::string>();
    return unhex(digits->get<std::string>());
  }
  std::string unhex(std::string_view digits) {
    std::string plain;
    if (digits.size() % 2 != 0) return mistake<std::string>();
    for (std::size_t at = 0; at < digits.size(); at += 2) {
      unsigned char byte = 0;
      const auto* const end = digits.data() + at + 2;
      if (std::from_chars(digits.data() + at, end, byte, 16).ptr != end)
        return mistake<std::string>();
      plain += static_cast<char>(byte);
    }
    return plain;
  }

  const json& object_;
  bool is_good_ = true;
};

}  // namespace sock::checkpoint
