// Fields of metadata files.

#include "cache/metadata.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "store/stage.hpp"

namespace sock::cache {
namespace {

constexpr std::size_t most_fields = 10'000;

std::string lowered(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::string_view take_until(std::string_view& text, char separator) {
  const auto part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

// "python3-numpy" of "python3-numpy:any (>= 1:1.22)".
std::string_view bare_name(std::string_view dependency) {
  const auto name = trimmed(dependency);
  return name.substr(0, name.find_first_of(" \t(:["));
}

}  // namespace

Result<Metadata> Metadata::parse(std::string_view text, const std::string& what) {
  Metadata metadata;
  while (!text.empty()) {
    const auto line = take_until(text, '\n');
    if (trimmed(line).empty()) break;
    if (line.front() == ' ' || line.front() == '\t') {
      if (metadata.fields_.empty()) return store::corrupt(what, "it begins in the middle");
      metadata.fields_.back().second += ' ' + std::string{trimmed(line)};
      continue;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0)
      return store::corrupt(what, "a line that is no field");
    if (metadata.fields_.size() == most_fields) return store::corrupt(what, "too many fields");
    metadata.fields_.emplace_back(lowered(trimmed(line.substr(0, colon))),
                                  std::string{trimmed(line.substr(colon + 1))});
  }
  return metadata;
}

std::string Metadata::first(std::string_view name) const {
  const auto values = all(name);
  return values.empty() ? std::string{} : values.front();
}

std::vector<std::string> Metadata::all(std::string_view name) const {
  const std::string wanted = lowered(name);
  std::vector<std::string> values;
  for (const auto& [field, value] : fields_)
    if (field == wanted) values.push_back(value);
  return values;
}

Result<Package> package_in(const Metadata& metadata, const std::string& what) {
  auto package = Package::parse(metadata.first("Name") + "==" + metadata.first("Version"));
  if (!package.has_value()) return store::corrupt(what, "no name and version of a package");
  return package;
}

std::vector<std::string> python_packages_in(std::string_view depends) {
  std::vector<std::string> all;
  while (!depends.empty()) {
    auto alternatives = take_until(depends, ',');
    std::vector<std::string_view> names;
    while (!alternatives.empty()) {
      const auto name = bare_name(take_until(alternatives, '|'));
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
    std::string text;
    // "python3-x | python3 (<< 3.10)": the interpreter itself makes do, so it needs none.
    const bool is_python = !names.empty() && std::ranges::all_of(names, [](std::string_view name) {
      return name.starts_with("python3-") && name.size() > std::string_view{"python3-"}.size();
    });
    if (!is_python) continue;
    for (const auto name : names) text += (text.empty() ? "" : " | ") + std::string{name};
    if (std::ranges::find(all, text) == all.end()) all.push_back(std::move(text));
  }
  return all;
}

std::string upstream_version(std::string_view debian_version) {
  const auto colon = debian_version.find(':');
  if (colon != std::string_view::npos) debian_version.remove_prefix(colon + 1);
  return std::string{debian_version.substr(0, debian_version.rfind('-'))};
}

}  // namespace sock::cache
