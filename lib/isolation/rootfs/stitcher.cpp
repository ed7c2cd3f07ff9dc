// Makes roots for containers.

#include "isolation/rootfs/stitcher.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "isolation/rootfs/base.hpp"
#include "isolation/rootfs/source.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"
#include "sys/mount.hpp"

namespace sock::isolation {
namespace {

using sys::Depth;
using sys::MountFlags;

constexpr std::size_t most_templates = 64;
constexpr MountFlags data_flags = MountFlags::no_suid | MountFlags::no_devices;

/// A bind of the spec, cloned and restricted, before its place is known to exist.
struct OpenBind {
  UniqueFd mount;
  MountPoint point;
};

Result<OpenBind> open_bind(const std::string& source, const std::string& target, Access access) {
  const UniqueFd opened = SOCK_TRY(open_source(source, "source"));
  auto mount = sys::clone_mount(opened, "", Depth::recursive);
  if (!mount) {
    mount.error().subject = "source " + source;
    return std::unexpected(mount.error());
  }
  const MountFlags flags =
      access == Access::read_only ? data_flags | MountFlags::read_only : data_flags;
  SOCK_TRY(sys::restrict_mount(*mount, flags, Depth::recursive));
  const auto status = SOCK_TRY(sys::status(*mount));
  const auto kind = status.type == sys::FileType::directory ? MountPoint::Kind::directory
                                                            : MountPoint::Kind::file;
  return OpenBind{.mount = std::move(*mount), .point = {.path = target, .kind = kind}};
}

Result<std::vector<OpenBind>> open_binds(const Rootfs& rootfs) {
  std::vector<OpenBind> binds;
  if (!rootfs.handler.empty())
    binds.push_back(SOCK_TRY(open_bind(rootfs.handler, "/handler", Access::read_only)));
  for (const Bind& bind : rootfs.binds)
    binds.push_back(SOCK_TRY(open_bind(bind.source, bind.target, bind.access)));
  return binds;
}

const Tmpfs* find_tmpfs_above(const Rootfs& rootfs, const MountPoint& point) {
  const auto above = std::ranges::find_if(
      rootfs.tmpfs, [&](const Tmpfs& tmpfs) { return is_below(point.path, tmpfs.target); });
  return above == rootfs.tmpfs.end() ? nullptr : &*above;
}

// Every place that the read-only part has to offer. Those below a tmpfs are made in it instead.
std::vector<MountPoint> collect_points(const Rootfs& rootfs, std::span<const OpenBind> binds) {
  std::vector<MountPoint> points{{.path = "/proc"}, {.path = "/dev"}};
  for (const Tmpfs& tmpfs : rootfs.tmpfs)
    if (!is_below(tmpfs.target, "/dev")) points.push_back({.path = tmpfs.target});
  for (const std::string& package : rootfs.packages)
    points.push_back({.path = package_target(package)});
  for (const OpenBind& bind : binds)
    if (find_tmpfs_above(rootfs, bind.point) == nullptr && !is_below(bind.point.path, "/dev"))
      points.push_back(bind.point);
  return points;
}

std::string octal(std::uint32_t mode) {
  std::string digits;
  for (int shift = 9; shift >= 0; shift -= 3)
    digits += static_cast<char>('0' + (mode >> static_cast<unsigned>(shift) & 7U));
  return digits;
}

Result<> attach_tmpfs(Tree& tree, const Tmpfs& tmpfs, std::span<const OpenBind> binds) {
  UniqueFd mount = SOCK_TRY(make_tmpfs(tmpfs));
  for (const OpenBind& bind : binds) {
    if (!is_below(bind.point.path, tmpfs.target)) continue;
    SOCK_TRY(make_mount_point(
        mount, {.path = bind.point.path.substr(tmpfs.target.size()), .kind = bind.point.kind}));
  }
  return tree.attach(std::move(mount), tmpfs.target);
}

Result<> attach_package(Tree& tree, const std::string& source) {
  const UniqueFd opened = SOCK_TRY(open_source(source, "package"));
  auto mount = sys::clone_mount(opened, "", Depth::one_mount);
  if (!mount) {
    mount.error().subject = "package " + source;
    return std::unexpected(mount.error());
  }
  SOCK_TRY(sys::restrict_mount(*mount, data_flags | MountFlags::read_only, Depth::one_mount));
  return tree.attach(std::move(*mount), package_target(source));
}

}  // namespace

Result<UniqueFd> make_tmpfs(const Tmpfs& tmpfs) {
  return sys::make_filesystem("tmpfs",
                              {{"size", std::to_string(tmpfs.size_max)},
                               {"nr_inodes", std::to_string(inode_limit(tmpfs))},
                               {"mode", octal(tmpfs.mode)}},
                              data_flags);
}

Result<std::vector<Stitcher::Source>> Stitcher::find_sources(const Rootfs& rootfs) {
  std::vector<Source> sources;
  const auto add = [&](const std::string& path, const std::string& what) -> Result<> {
    const UniqueFd dir = SOCK_TRY(open_source(path, what));
    const auto status = SOCK_TRY(sys::status(dir));
    sources.push_back({.path = path, .device = status.device, .inode = status.inode});
    return {};
  };
  SOCK_TRY(add(rootfs.base == host_image ? "/usr" : rootfs.base, "rootfs"));
  for (const std::string& package : rootfs.packages) SOCK_TRY(add(package, "package"));
  return sources;
}

Result<Tree> Stitcher::make_lower(const Rootfs& rootfs, FdRef owners,
                                  std::span<const MountPoint> points, Composition composition) {
  Tree tree = SOCK_TRY(make_base(rootfs.base, owners, points, composition));
  SOCK_TRY(attach_devices(tree));
  for (const std::string& package : rootfs.packages) SOCK_TRY(attach_package(tree, package));
  return tree;
}

Result<Tree> Stitcher::clone_template(const Rootfs& rootfs, FdRef owners,
                                      std::vector<MountPoint> points) {
  if (composition_ == Composition::by_child)
    return make_lower(rootfs, owners, points, composition_);
  std::vector<Source> sources = SOCK_TRY(find_sources(rootfs));
  const std::uint64_t owner = owners ? SOCK_TRY(sys::inode(owners))
  .number : 0;
  std::shared_ptr<const UniqueFd> root;
  {
    const std::scoped_lock lock{mutex_};
    const auto known = std::ranges::find_if(templates_, [&](const Template& item) {
      return item.sources == sources && item.points == points && item.owners == owner;
    });
    if (known != templates_.end()) {
      templates_.splice(templates_.begin(), templates_, known);
      root = known->root;
    }
  }
  if (!root) {
    const Tree lower = SOCK_TRY(make_lower(rootfs, owners, points, composition_));
    UniqueFd kept = SOCK_TRY(sys::duplicate(lower.root()));
    root = std::make_shared<const UniqueFd>(std::move(kept));
    UniqueFd kept_owners;
    if (owners) kept_owners = SOCK_TRY(sys::duplicate(owners));
    const std::scoped_lock lock{mutex_};
    templates_.push_front({.sources = std::move(sources),
                           .points = std::move(points),
                           .owners = owner,
                           .kept_owners = std::move(kept_owners),
                           .root = root});
    if (templates_.size() > most_templates) templates_.pop_back();
  }
  UniqueFd clone = SOCK_TRY(sys::clone_mount(*root, "", Depth::recursive));
  return Tree{std::move(clone), composition_};
}

Result<StitchedRoot> Stitcher::make(const Rootfs& rootfs, const std::optional<Terminal>& terminal,
                                    FdRef user_namespace, std::span<const OwnFile> own_files) {
  const FdRef owners = rootfs.shift_owners ? user_namespace : FdRef{};
  const auto make_it = [&]() -> Result<StitchedRoot> {
    std::vector<OpenBind> binds = SOCK_TRY(open_binds(rootfs));
    for (const OwnFile& file : own_files) {
      auto mount = SOCK_TRY(sys::clone_mount(file.mount, "", Depth::one_mount));
      binds.push_back({.mount = std::move(mount),
                       .point = {.path = file.target, .kind = MountPoint::Kind::file}});
    }
    Tree tree = SOCK_TRY(clone_template(rootfs, owners, collect_points(rootfs, binds)));
    StitchedRoot made{.tree = std::move(tree), .terminal = {}};
    for (const Tmpfs& tmpfs : rootfs.tmpfs) SOCK_TRY(attach_tmpfs(made.tree, tmpfs, binds));
    for (OpenBind& bind : binds) SOCK_TRY(made.tree.attach(std::move(bind.mount), bind.point.path));
    if (terminal) made.terminal = SOCK_TRY(attach_terminal(made.tree, *terminal));
    return made;
  };
  return base::in_stage(Stage::rootfs, make_it());
}

}  // namespace sock::isolation
