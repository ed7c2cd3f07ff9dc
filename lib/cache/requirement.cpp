// PEP 508 without its markers, and the version specifiers of PEP 440.

#include "cache/requirement.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "sock/import_tree.hpp"

#include "cache/version.hpp"
#include "store/stage.hpp"

namespace sock::cache {
namespace {

constexpr std::size_t most_characters = 4096;
// Longer ones first.
constexpr std::array<std::string_view, 8> operations{"===", "==", "!=", "<=", ">=", "~=", "<", ">"};

std::unexpected<Error> no_requirement(std::string_view text) {
  return store::corrupt("requirement \"" + std::string{text.substr(0, 200)} + "\"",
                        "it is not written as PEP 508 says");
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::optional<Specifier> parse_specifier(std::string_view text) {
  for (const auto operation : operations) {
    if (!text.starts_with(operation)) continue;
    const auto version = trimmed(text.substr(operation.size()));
    if (version.empty() || version.find_first_of(" \t<>=!~") != std::string_view::npos)
      return std::nullopt;
    return Specifier{.operation = std::string{operation}, .version = std::string{version}};
  }
  return std::nullopt;
}

bool allows_equal(const Version& version, std::string_view wanted) {
  if (wanted.ends_with(".*")) {
    const auto prefix = Version::parse(wanted.substr(0, wanted.size() - 2));
    return prefix && version.starts_with(*prefix);
  }
  const auto exact = Version::parse(wanted);
  if (!exact) return false;
  return wanted.contains('+') ? version == *exact : version.without_local() == *exact;
}

bool allows_ordered(const Version& version, std::string_view operation, const Version& bound) {
  const Version plain = version.without_local();
  if (operation == "<=") return plain <= bound;
  if (operation == ">=") return plain >= bound;
  // Not a pre-release of the bound, nor a post-release of it, unless it is one itself.
  if (operation == "<")
    return version < bound &&
           (bound.is_prerelease() || !version.is_prerelease() || !version.has_same_release(bound));
  return plain > bound &&
         (bound.has_post() || !version.has_post() || !version.has_same_release(bound));
}

bool allows(const Specifier& specifier, std::string_view text) {
  if (specifier.operation == "===") return specifier.version == text;
  const auto version = Version::parse(text);
  if (!version) return false;
  if (specifier.operation == "==") return allows_equal(*version, specifier.version);
  if (specifier.operation == "!=") return !allows_equal(*version, specifier.version);
  const auto bound = Version::parse(specifier.version);
  if (!bound) return false;
  if (specifier.operation != "~=") return allows_ordered(*version, specifier.operation, *bound);
  const auto prefix = bound->without_last_number();
  return prefix && version->starts_with(*prefix) && version->without_local() >= *bound;
}

}  // namespace

Result<Requirement> parse_requirement(std::string_view text) {
  const auto whole = text;
  if (text.size() > most_characters) return no_requirement(whole);
  Requirement requirement;
  if (const auto semicolon = text.find(';'); semicolon != std::string_view::npos) {
    requirement.marker = std::string{trimmed(text.substr(semicolon + 1))};
    if (requirement.marker.empty()) return no_requirement(whole);
    text = text.substr(0, semicolon);
  }
  if (const auto at = text.find('@'); at != std::string_view::npos) text = text.substr(0, at);
  text = trimmed(text);
  const auto end = std::min(text.find_first_of("[(<>=!~ \t"), text.size());
  const auto named = Package::parse(text.substr(0, end));
  if (!named.has_value()) return no_requirement(whole);
  requirement.name = named->name;
  text = trimmed(text.substr(end));
  if (text.starts_with('[')) {
    const auto bracket = text.find(']');
    if (bracket == std::string_view::npos) return no_requirement(whole);
    text = trimmed(text.substr(bracket + 1));
  }
  if (text.starts_with('(')) {
    if (!text.ends_with(')')) return no_requirement(whole);
    text = trimmed(text.substr(1, text.size() - 2));
  }
  while (!text.empty()) {
    const auto item = text.substr(0, text.find(','));
    text = trimmed(text.substr(std::min(text.size(), item.size() + 1)));
    auto specifier = parse_specifier(trimmed(item));
    if (!specifier) return no_requirement(whole);
    requirement.specifiers.push_back(std::move(*specifier));
  }
  return requirement;
}

bool allows(const std::vector<Specifier>& specifiers, std::string_view version) {
  return std::ranges::all_of(
      specifiers, [&](const Specifier& specifier) { return allows(specifier, version); });
}

bool asks_for_prerelease(const std::vector<Specifier>& specifiers) {
  return std::ranges::any_of(specifiers, [](const Specifier& specifier) {
    const auto version = Version::parse(specifier.version);
    return version && version->is_prerelease() && specifier.operation != "!=";
  });
}

}  // namespace sock::cache
