// A parser by recursive descent that evaluates as it goes.

#include "cache/marker.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/try.hpp"
#include "cache/package_abi.hpp"
#include "cache/version.hpp"
#include "store/stage.hpp"

namespace sock::cache {
namespace {

constexpr std::size_t most_characters = 4096;
constexpr int most_depth = 32;

// What a variable stands for; empty for one that there is not.
std::optional<std::string> value_of(std::string_view variable, const std::string& python) {
  if (variable == "python_version") return python;
  if (variable == "python_full_version" || variable == "implementation_version")
    return python + ".0";
  if (variable == "os_name") return "posix";
  if (variable == "sys_platform") return "linux";
  if (variable == "platform_system") return "Linux";
  if (variable == "platform_machine") return machine_name();
  if (variable == "platform_python_implementation") return "CPython";
  if (variable == "implementation_name") return "cpython";
  if (variable == "platform_release" || variable == "platform_version" || variable == "extra")
    return "";
  return std::nullopt;
}

std::optional<bool> compare(const std::string& left, std::string_view operation,
                            const std::string& right) {
  if (operation == "in") return right.contains(left);
  if (operation == "not in") return !right.contains(left);
  const auto version_left = Version::parse(left);
  const auto version_right = Version::parse(right);
  const auto order =
      version_left && version_right ? *version_left <=> *version_right : left <=> right;
  if (operation == "==" || operation == "===") return order == 0;
  if (operation == "!=") return order != 0;
  if (operation == "<") return order < 0;
  if (operation == "<=") return order <= 0;
  if (operation == ">") return order > 0;
  if (operation == ">=") return order >= 0;
  if (operation != "~=" || !version_left || !version_right) return std::nullopt;
  const auto prefix = version_right->without_last_number();
  return prefix && version_left->starts_with(*prefix) && order >= 0;
}

class Evaluation {
 public:
  Evaluation(std::string_view text, const std::string& python) : rest_{text}, python_{python} {}

  std::optional<bool> all() {
    const auto value = any_of(0);
    skip_blanks();
    return rest_.empty() ? value : std::nullopt;
  }

 private:
  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
  }

  bool take(std::string_view word) {
    skip_blanks();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  // "or" must not be the beginning of a variable.
  bool take_word(std::string_view word) {
    skip_blanks();
    const bool ends = rest_.size() <= word.size() || !is_word(rest_[word.size()]);
    return ends && take(word);
  }

  static bool is_word(char c) { return (c >= 'a' && c <= 'z') || c == '_' || c == '.'; }

  std::optional<bool> any_of(int depth) {
    auto value = all_of(depth);
    while (value && take_word("or")) {
      const auto next = all_of(depth);
      value = next ? std::optional{*value || *next} : std::nullopt;
    }
    return value;
  }

  std::optional<bool> all_of(int depth) {
    auto value = one(depth);
    while (value && take_word("and")) {
      const auto next = one(depth);
      value = next ? std::optional{*value && *next} : std::nullopt;
    }
    return value;
  }

  std::optional<bool> one(int depth) {
    if (take("(")) {
      if (depth == most_depth) return std::nullopt;
      const auto value = any_of(depth + 1);
      return value && take(")") ? value : std::nullopt;
    }
    const auto left = operand();
    const auto operation = take_operation();
    const auto right = operand();
    if (!left || operation.empty() || !right) return std::nullopt;
    return compare(*left, operation, *right);
  }

  std::optional<std::string> operand() {
    skip_blanks();
    if (rest_.starts_with('"') || rest_.starts_with('\'')) {
      const auto end = rest_.find(rest_[0], 1);
      if (end == std::string_view::npos) return std::nullopt;
      std::string text{rest_.substr(1, end - 1)};
      rest_.remove_prefix(end + 1);
      return text;
    }
    const auto end = std::ranges::find_if_not(rest_, is_word) - rest_.begin();
    const auto variable = rest_.substr(0, static_cast<std::size_t>(end));
    rest_.remove_prefix(variable.size());
    // As older tools wrote them.
    if (variable == "os.name") return value_of("os_name", python_);
    if (variable == "sys.platform") return value_of("sys_platform", python_);
    return value_of(variable, python_);
  }

  std::string_view take_operation() {
    for (const std::string_view operation : {"===", "==", "!=", "<=", ">=", "~=", "<", ">"})
      if (take(operation)) return operation;
    if (take_word("in")) return "in";
    return take_word("not") && take_word("in") ? "not in" : "";
  }

  std::string_view rest_;
  const std::string& python_;
};

}  // namespace

Result<bool> holds(std::string_view marker, const std::string& python) {
  const auto value =
      marker.size() > most_characters ? std::nullopt : Evaluation{marker, python}.all();
  if (!value)
    return store::corrupt("marker \"" + std::string{marker.substr(0, 200)} + "\"",
                          "it is not written as PEP 508 says");
  return *value;
}

}  // namespace sock::cache
