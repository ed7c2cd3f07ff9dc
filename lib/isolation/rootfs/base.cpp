// The read-only lower part of a root.

#include "isolation/rootfs/base.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/try.hpp"
#include "isolation/rootfs/host_etc.hpp"
#include "isolation/rootfs/source.hpp"
#include "sys/file.hpp"
#include "sys/mount.hpp"

namespace sock::isolation {
namespace {

using sys::Depth;
using sys::FileType;
using sys::MountFlags;

constexpr MountFlags image_flags =
    MountFlags::read_only | MountFlags::no_suid | MountFlags::no_devices;

/// A name of an image's top level and what becomes of it in a stitched root.
struct TopLevel {
  std::string name;
  FileType type;
};

/// A directory that becomes a root, and the user namespace into which its owners are shifted, if
/// any.
struct Image {
  UniqueFd directory;
  FdRef owners;
};

// One level only, and never what is mounted below the image on the host.
Result<UniqueFd> clone_part(const Image& image, const std::string& name) {
  UniqueFd part = SOCK_TRY(sys::clone_mount(image.directory, name, Depth::one_mount));
  if (image.owners) SOCK_TRY(sys::map_owners(part, image.owners));
  SOCK_TRY(sys::restrict_mount(part, image_flags, Depth::one_mount));
  return part;
}

Result<UniqueFd> open_image(const std::string& path) {
  UniqueFd image = SOCK_TRY(open_source(path, "rootfs"));
  if (SOCK_TRY(sys::status(image)).type != FileType::directory)
    return base::refuse(Errc::not_found, Stage::rootfs, "rootfs " + path, "it must be a directory");
  return image;
}

bool is_real_directory(FdRef image, std::string_view name) {
  const auto found = sys::status_at(image, std::string{name});
  return found.has_value() && found->type == FileType::directory;
}

Result<std::vector<TopLevel>> read_top_level(FdRef image) {
  constexpr std::size_t most = 512;  // An image with more is no root file system.
  std::vector<TopLevel> entries;
  for (std::string& name : SOCK_TRY(sys::list_dir(image))) {
    const auto status = SOCK_TRY(sys::status_at(image, name));
    entries.push_back({.name = std::move(name), .type = status.type});
  }
  if (entries.size() > most)
    return base::refuse(Errc::invalid_spec, Stage::rootfs, "image",
                        "more than 512 entries at its top level");
  return entries;
}

// The machine's root, as far as a container may see it: /usr and the links into it.
Result<std::vector<TopLevel>> read_host_top_level(FdRef root) {
  constexpr std::array names{"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"};
  std::vector<TopLevel> entries;
  for (const char* name : names) {
    const auto status = sys::status_at(root, name);
    if (status.has_value()) entries.push_back({.name = name, .type = status->type});
  }
  return entries;
}

Result<> stitch(Tree& tree, const Image& image, const TopLevel& entry) {
  const UniqueFd& root = tree.root();
  switch (entry.type) {
    case FileType::symlink: {
      const std::string target = SOCK_TRY(sys::read_symlink(image.directory, entry.name));
      return sys::make_symlink(root, entry.name, target);
    }
    case FileType::directory:
    case FileType::regular: {
      const auto kind =
          entry.type == FileType::directory ? MountPoint::Kind::directory : MountPoint::Kind::file;
      const MountPoint point{.path = "/" + entry.name, .kind = kind};
      SOCK_TRY(make_mount_point(root, point));
      UniqueFd part = SOCK_TRY(clone_part(image, entry.name));
      return tree.attach(std::move(part), point.path);
    }
    case FileType::other:
      return {};  // Devices, sockets and pipes of an image are not taken over.
  }
  return {};
}

bool has_name(const std::vector<TopLevel>& entries, std::string_view name) {
  return std::ranges::find(entries, name, &TopLevel::name) != entries.end();
}

// Names that are always the container's own, whatever the image has there.
bool is_own(std::string_view name) {
  return name == "proc" || name == "dev" || name == "packages";
}

// Nothing of it would ever be seen: a mount less, and none that hides another, which CRIU cannot
// write down.
bool is_hidden(const std::string& path, std::span<const MountPoint> points) {
  return std::ranges::find(points, path, &MountPoint::path) != points.end() &&
         std::ranges::none_of(points,
                              [&](const MountPoint& point) { return is_below(point.path, path); });
}

// A mount point whose first component is no directory of the image gets one of our own instead: a
// link there would decide where we mount.
void drop_replaced(std::vector<TopLevel>& entries, std::span<const MountPoint> points) {
  std::erase_if(entries, [&](const TopLevel& entry) {
    if (is_own(entry.name) || is_hidden("/" + entry.name, points)) return true;
    return entry.type != FileType::directory &&
           std::ranges::any_of(points, [&](const MountPoint& point) {
             return first_component(point.path) == entry.name;
           });
  });
}

Result<Tree> stitch_root(const Image& image, std::vector<TopLevel> entries,
                         std::span<const MountPoint> points, Composition composition) {
  drop_replaced(entries, points);
  UniqueFd root = SOCK_TRY(sys::make_filesystem(
      "tmpfs", {{"size", "1m"}, {"nr_inodes", "4096"}, {"mode", "0755"}}, MountFlags::none));
  Tree tree{std::move(root), composition};
  for (const TopLevel& entry : entries) SOCK_TRY(stitch(tree, image, entry));
  for (const MountPoint& point : points)
    if (!has_name(entries, first_component(point.path)))
      SOCK_TRY(make_mount_point(tree.root(), point));
  return tree;
}

Result<Tree> make_host_image(FdRef owners, std::span<const MountPoint> points,
                             Composition composition) {
  Image machine{{}, owners};
  machine.directory = SOCK_TRY(open_image("/"));
  std::vector<TopLevel> entries = SOCK_TRY(read_host_top_level(machine.directory));
  Tree tree = SOCK_TRY(stitch_root(machine, std::move(entries), points, composition));
  SOCK_TRY(attach_host_etc(tree));
  return tree;
}

// The image itself serves as the root where it has a real directory for every mount point.
bool has_every_point(FdRef image, std::span<const MountPoint> points) {
  return std::ranges::all_of(points, [&](const MountPoint& point) {
    const std::string_view first = first_component(point.path);
    return first != "packages" && is_real_directory(image, first);
  });
}

Result<Tree> make_from_directory(const std::string& path, FdRef owners,
                                 std::span<const MountPoint> points, Composition composition) {
  Image image{{}, owners};
  image.directory = SOCK_TRY(open_image(path));
  if (has_every_point(image.directory, points)) {
    UniqueFd root = SOCK_TRY(clone_part(image, ""));
    return Tree{std::move(root), composition};
  }
  std::vector<TopLevel> entries = SOCK_TRY(read_top_level(image.directory));
  return stitch_root(image, std::move(entries), points, composition);
}

}  // namespace

Result<Tree> make_base(const std::string& base, FdRef owners, std::span<const MountPoint> points,
                       Composition composition) {
  Result<Tree> tree = base == host_image ? make_host_image(owners, points, composition)
                                         : make_from_directory(base, owners, points, composition);
  if (!tree) return tree;
  // Last: mount points were still being made in it.
  SOCK_TRY(sys::restrict_mount(tree->root(), image_flags, Depth::one_mount));
  return tree;
}

}  // namespace sock::isolation
