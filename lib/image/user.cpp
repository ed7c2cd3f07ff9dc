// Users of images.

#include "image/user.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "base/try.hpp"
#include "image/stage.hpp"

namespace sock::image {
namespace {

constexpr std::size_t most_groups = 64;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// The last number means "leave it" to setuid.
std::optional<std::uint32_t> id_of(std::string_view text) {
  std::uint32_t id = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (problem != std::errc{} || end != text.data() + text.size() || text.empty() ||
      id == UINT32_MAX)
    return std::nullopt;
  return id;
}

/// The fields of the line whose field `at` is `value`; none when there is no such line.
std::vector<std::string_view> find_line(std::string_view file, std::size_t at,
                                        std::string_view value, std::size_t fields) {
  for (const auto line : split(file, '\n')) {
    auto parts = split(line, ':');
    if (parts.size() >= fields && parts[at] == value) return parts;
  }
  return {};
}

std::unexpected<Error> unknown(std::string_view name) {
  return base::refuse(Errc::not_found, image_stage,
                      "user '" + std::string{name.substr(0, 100)} + "' of the image",
                      "its /etc/passwd and /etc/group do not have it; give --user");
}

std::vector<gid_t> groups_of(std::string_view name, std::string_view file, gid_t primary) {
  std::vector<gid_t> groups;
  for (const auto line : split(file, '\n')) {
    const auto parts = split(line, ':');
    if (parts.size() < 4 || groups.size() >= most_groups) continue;
    const auto members = split(parts[3], ',');
    const auto gid = id_of(parts[2]);
    if (gid && *gid != primary && std::ranges::find(members, name) != members.end())
      groups.push_back(*gid);
  }
  return groups;
}

}  // namespace

Result<Identity> find_identity(std::string_view user, std::string_view passwd,
                               std::string_view group) {
  const auto colon = user.find(':');
  const auto name = user.substr(0, colon);
  Identity identity{.uid = 0, .gid = 0};
  if (const auto uid = id_of(name)) {
    identity.uid = *uid;
    const auto line = find_line(passwd, 2, name, 4);
    if (!line.empty()) identity.gid = id_of(line[3]).value_or(0);
  } else {
    const auto line = find_line(passwd, 0, name, 4);
    const auto found = line.empty() ? std::nullopt : id_of(line[2]);
    if (!found) return unknown(name);
    identity.uid = *found;
    identity.gid = id_of(line[3]).value_or(0);
    if (colon == std::string_view::npos) identity.groups = groups_of(name, group, identity.gid);
  }
  if (colon == std::string_view::npos) return identity;
  const auto group_name = user.substr(colon + 1);
  if (const auto gid = id_of(group_name)) {
    identity.gid = *gid;
    return identity;
  }
  const auto line = find_line(group, 0, group_name, 3);
  const auto found = line.empty() ? std::nullopt : id_of(line[2]);
  if (!found) return unknown(group_name);
  identity.gid = *found;
  return identity;
}

}  // namespace sock::image
