// Names of images.

#include "image/reference.hpp"

#include <algorithm>
#include <cctype>

#include "base/try.hpp"
#include "image/stage.hpp"

namespace sock::image {
namespace {

// A file of the store is called like the image, with three bytes for each slash.
constexpr std::size_t longest_file_name = 250;
constexpr std::size_t longest_tag = 128;
constexpr std::string_view slash = "%2F";

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::unexpected<Error> refuse_name(std::string_view text, std::string hint) {
  return base::refuse(Errc::invalid_spec, image_stage,
                      "image name '" + std::string{text.substr(0, 300)} + "'", std::move(hint));
}

// A component of a name: letters and digits, with ._- in between.
bool is_component(std::string_view text) {
  return !text.empty() && is_letter_or_digit(text.front()) && is_letter_or_digit(text.back()) &&
         std::ranges::all_of(text, [](char c) {
           return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
         });
}

// "localhost:5000": only the first of several components may have a port.
bool is_host(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return is_component(text);
  const auto port = text.substr(colon + 1);
  return is_component(text.substr(0, colon)) && !port.empty() && port.size() <= 5 &&
         std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= longest_tag && text.front() != '.' &&
         text.front() != '-' && std::ranges::all_of(text, [](char c) {
           return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
         });
}

bool is_repository(std::string_view text) {
  bool is_first = true;
  for (;;) {
    const auto end = text.find('/');
    const auto component = text.substr(0, end);
    const bool has_more = end != std::string_view::npos;
    if (!(is_first && has_more ? is_host(component) : is_component(component))) return false;
    if (!has_more) return true;
    text.remove_prefix(end + 1);
    is_first = false;
  }
}

}  // namespace

Result<std::string> parse_image_name(std::string_view text) {
  const auto last_slash = text.rfind('/');
  const auto colon = text.rfind(':');
  const bool has_tag = colon != std::string_view::npos &&
                       (last_slash == std::string_view::npos || colon > last_slash);
  const auto repository = has_tag ? text.substr(0, colon) : text;
  const auto tag = has_tag ? text.substr(colon + 1) : std::string_view{"latest"};
  if (!is_repository(repository) || !is_tag(tag))
    return refuse_name(text, "NAME[:TAG] of letters, digits and ._-, with / inside NAME");
  std::string name = std::string{repository} + ":" + std::string{tag};
  if (file_name_of(name).size() > longest_file_name) return refuse_name(text, "it is too long");
  return name;
}

Result<Reference> parse_reference(std::string_view text) {
  Reference reference;
  const auto at = text.find('@');
  if (at != std::string_view::npos)
    reference.digest = SOCK_TRY(store::Digest::parse(text.substr(at + 1), "reference"));
  const auto name = text.substr(0, at);
  if (!name.empty() || at == std::string_view::npos)
    reference.name = SOCK_TRY(parse_image_name(name));
  return reference;
}

std::string file_name_of(std::string_view image_name) {
  std::string file;
  for (const char c : image_name) {
    if (c == '/')
      file += slash;
    else
      file += c;
  }
  return file;
}

std::optional<std::string> image_name_of(std::string_view file_name) {
  std::string name{file_name};
  for (auto at = name.find(slash); at != std::string::npos; at = name.find(slash, at))
    name.replace(at, slash.size(), "/");
  auto parsed = parse_image_name(name);
  if (!parsed.has_value() || *parsed != name) return std::nullopt;
  return name;
}

std::string name_from_path(std::string_view path, std::string_view tag) {
  while (path.ends_with('/')) path.remove_suffix(1);
  std::string name{path.substr(path.rfind('/') + 1)};
  for (char& c : name)
    if (!is_letter_or_digit(c) && c != '.' && c != '_') c = '-';
  for (const std::string_view ending : {".tar", ".oci"})
    if (name.ends_with(ending)) name.erase(name.size() - ending.size());
  while (!name.empty() && !is_letter_or_digit(name.front())) name.erase(0, 1);
  while (!name.empty() && !is_letter_or_digit(name.back())) name.pop_back();
  if (name.empty()) name = "image";
  name.resize(std::min<std::size_t>(name.size(), 100));
  while (!is_letter_or_digit(name.back())) name.pop_back();
  return name + ":" + (is_tag(tag) ? std::string{tag} : "latest");
}

}  // namespace sock::image
