// Parsing of mountinfo(5) and cgroup(5).

#include "isolation/cgroup/layout.hpp"

#include <algorithm>
#include <utility>

#include "base/try.hpp"
#include "isolation/cgroup/place.hpp"
#include "sys/file.hpp"
#include "sys/kernfs.hpp"

namespace sock::isolation {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// A line of mountinfo about a cgroup file system, borrowed from its text.
struct Mount {
  std::string_view root;
  std::string_view point;
  std::string_view type;
  std::string_view super_options;
};

std::vector<Mount> parse_mounts(std::string_view mountinfo) {
  std::vector<Mount> mounts;
  for (const std::string_view line : split(mountinfo, '\n')) {
    const std::vector<std::string_view> fields = split(line, ' ');
    // id parent device root point options [optional]... - type source super_options
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    // The source may be empty, and then is no field here: what is needed is on either side of it.
    if (dash - fields.begin() < 6 || fields.end() - dash < 3) continue;
    if (dash[1] != "cgroup" && dash[1] != "cgroup2") continue;
    mounts.push_back(
        {.root = fields[3], .point = fields[4], .type = dash[1], .super_options = fields.back()});
  }
  return mounts;
}

/// `path` as seen from `root`: "" or "/below". Empty when it is not below.
std::optional<std::string_view> relative_to(std::string_view path, std::string_view root) {
  if (path == "/") path = "";
  if (root == "/") return path;
  if (!path.starts_with(root)) return {};
  path.remove_prefix(root.size());
  if (!path.empty() && path.front() != '/') return {};
  return path;
}

Hierarchy hierarchy_of(const Mount& mount, std::string_view own,
                       const std::vector<std::string_view>& controllers) {
  return {.controllers = {controllers.begin(), controllers.end()},
          .mount_point = decode_mount_path(mount.point),
          .mount_root = decode_mount_path(mount.root),
          .own = std::string{own}};
}

/// A hierarchy may be mounted several times: the first mount that shows the caller's own cgroup is
/// the one, else the first of all.
template <class Matches>
std::optional<Hierarchy> find_hierarchy(const std::vector<Mount>& mounts, std::string_view own,
                                        const std::vector<std::string_view>& controllers,
                                        Matches&& matches) {
  std::optional<Hierarchy> found;
  for (const Mount& mount : mounts) {
    if (!matches(mount)) continue;
    Hierarchy hierarchy = hierarchy_of(mount, own, controllers);
    if (relative_to(hierarchy.own, hierarchy.mount_root)) return hierarchy;
    if (!found) found = std::move(hierarchy);
  }
  return found;
}

bool mounts_all(const Mount& mount, const std::vector<std::string_view>& controllers) {
  const std::vector<std::string_view> options = split(mount.super_options, ',');
  return mount.type == "cgroup" &&
         std::all_of(controllers.begin(), controllers.end(),
                     [&](std::string_view name) { return contains(options, name); });
}

void complete(Hierarchy& hierarchy, std::string directory) {
  hierarchy.directory = std::move(directory);
  hierarchy.writable = !hierarchy.directory.empty() && sys::is_writable(hierarchy.directory);
}

}  // namespace

std::string decode_mount_path(std::string_view escaped) {
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string decoded;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] == '\\' && i + 3 < escaped.size() && is_octal(escaped[i + 1]) &&
        is_octal(escaped[i + 2]) && is_octal(escaped[i + 3])) {
      decoded += static_cast<char>((escaped[i + 1] - '0') * 64 + (escaped[i + 2] - '0') * 8 +
                                   (escaped[i + 3] - '0'));
      i += 3;
    } else {
      decoded += escaped[i];
    }
  }
  return decoded;
}

Layout parse_layout(std::string_view mountinfo, std::string_view own_cgroups) {
  const std::vector<Mount> mounts = parse_mounts(mountinfo);
  Layout layout;
  for (const std::string_view line : split(own_cgroups, '\n')) {
    // id:controllers:path, where the path may contain colons.
    const std::size_t first = line.find(':');
    const std::size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string_view names = line.substr(first + 1, second - first - 1);
    const std::string_view own = line.substr(second + 1);
    if (names.empty()) {
      layout.v2 = find_hierarchy(mounts, own, {},
                                 [](const Mount& mount) { return mount.type == "cgroup2"; });
      continue;
    }
    if (names.starts_with("name=")) continue;
    const std::vector<std::string_view> controllers = split(names, ',');
    std::optional<Hierarchy> found =
        find_hierarchy(mounts, own, controllers,
                       [&](const Mount& mount) { return mounts_all(mount, controllers); });
    if (found) layout.v1.push_back(std::move(*found));
  }
  return layout;
}

std::string group_directory(const Hierarchy& hierarchy, std::string_view parent) {
  std::string directory = hierarchy.mount_point == "/" ? "" : hierarchy.mount_point;
  if (!parent.empty()) {
    while (parent.ends_with('/')) parent.remove_suffix(1);
    if (!parent.empty() && !parent.starts_with('/')) directory += '/';
    return directory.append(parent);
  }
  const auto below = relative_to(hierarchy.own, hierarchy.mount_root);
  // "/.." is what the kernel writes for a cgroup outside the caller's cgroup namespace.
  if (!below || hierarchy.own.starts_with("/..")) return {};
  return directory.append(*below);
}

Result<Layout> read_layout(const std::string& parent) {
  const std::string mountinfo =
      SOCK_TRY(sys::read_file(sys::cwd, "/proc/self/mountinfo", 16U << 20U));
  const std::string own = SOCK_TRY(sys::read_file(sys::cwd, "/proc/self/cgroup"));
  Layout layout = parse_layout(mountinfo, own);
  for (Hierarchy& hierarchy : layout.v1) complete(hierarchy, group_directory(hierarchy, parent));
  if (layout.v2) {
    std::string directory = group_directory(*layout.v2, parent);
    if (parent.empty() && !directory.empty())
      directory = find_place_for_groups(directory, layout.v2->mount_point);
    complete(*layout.v2, std::move(directory));
    const auto names = sys::read_file(sys::cwd, layout.v2->directory + "/cgroup.controllers");
    if (!names) return layout;  // the parent does not exist: it is not writable either
    for (const std::string_view name :
         split(std::string_view{*names}.substr(0, names->find('\n')), ' '))
      layout.v2->controllers.emplace_back(name);
  }
  return layout;
}

}  // namespace sock::isolation
