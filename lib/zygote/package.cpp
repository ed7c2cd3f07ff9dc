// Names of packages. Requirements come from tenants: everything is checked, nothing is guessed.

#include <algorithm>

#include "sock/import_tree.hpp"

#include "base/try.hpp"

namespace sock {
namespace {

constexpr std::size_t most_characters = 128;
constexpr std::string_view separators = "-_.";

// ASCII only: the classification of the C library depends on a locale.
bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > most_characters) return false;
  if (!is_alphanumeric(text.front()) || !is_alphanumeric(text.back())) return false;
  return std::ranges::all_of(text,
                             [](char c) { return is_alphanumeric(c) || separators.contains(c); });
}

bool is_version(std::string_view text) {
  return !text.empty() && text.size() <= most_characters && std::ranges::all_of(text, [](char c) {
    return is_alphanumeric(c) || std::string_view{"-_.+!"}.contains(c);
  });
}

// PEP 503.
std::string normalised(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (!separators.contains(c))
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    else if (out.empty() || out.back() != '-')
      out += '-';
  }
  return out;
}

std::string_view without_extras(std::string_view name) {
  const auto bracket = name.find('[');
  return bracket != std::string_view::npos && name.ends_with(']') ? name.substr(0, bracket) : name;
}

}  // namespace

Result<Package> Package::parse(std::string_view text) {
  const auto equals = text.find("==");
  const auto name = without_extras(text.substr(0, equals));
  if (!is_name(name))
    return base::refuse(Errc::invalid_spec, Stage::validate,
                        "package \"" + std::string{text} + "\"", "like numpy==1.26.0");
  if (equals == std::string_view::npos) return Package{.name = normalised(name)};
  const auto version = text.substr(equals + 2);
  if (!is_version(version))
    return base::refuse(Errc::invalid_spec, Stage::validate,
                        "package \"" + std::string{text} + "\"",
                        "one exact version, like numpy==1.26.0");
  return Package{.name = normalised(name), .version = std::string{version}};
}

std::string Package::to_string() const {
  return version.empty() ? name : name + "==" + version;
}

}  // namespace sock
