// A root under construction.

#include "isolation/rootfs/tree.hpp"

#include <algorithm>

#include <fcntl.h>

#include "base/try.hpp"
#include "sys/file.hpp"
#include "sys/mount.hpp"

namespace sock::isolation {
namespace {

Error explain(Error error, const std::string& target) {
  error.stage = Stage::rootfs;
  error.subject = "mount point " + target;
  if (error.code == Errc::not_found)
    error.hint = "create it in the image, or mount below a new top-level directory";
  return error;
}

}  // namespace

Result<> Tree::attach(UniqueFd mount, const std::string& target) {
  if (composition_ == Composition::by_child) {
    pending_.push_back({.mount = std::move(mount), .target = target});
    return {};
  }
  const auto place = sys::open_in_root(root_, target, O_PATH);
  if (!place) return std::unexpected(explain(place.error(), target));
  const auto attached = sys::attach_mount(mount, *place);
  if (!attached) return std::unexpected(explain(attached.error(), target));
  return {};
}

Result<UniqueFd> Tree::open_attached(const std::string& target) const {
  const auto part = std::ranges::find(pending_, target, &PendingMount::target);
  if (part != pending_.end()) return base::in_stage(Stage::rootfs, sys::duplicate(part->mount));
  auto opened = sys::open_in_root(root_, target, O_PATH | O_NOFOLLOW);
  if (!opened) return std::unexpected(explain(opened.error(), target));
  return opened;
}

Result<> make_mount_point(FdRef filesystem, const MountPoint& point) {
  const std::string relative = point.path.substr(1);
  for (auto slash = relative.find('/'); slash != std::string::npos;
       slash = relative.find('/', slash + 1))
    SOCK_TRY(sys::ensure_dir(filesystem, relative.substr(0, slash), 0755));
  if (point.kind == MountPoint::Kind::directory) return sys::ensure_dir(filesystem, relative, 0755);
  SOCK_TRY(sys::open(filesystem, relative, O_WRONLY | O_CREAT | O_NOFOLLOW, 0444));
  return {};
}

}  // namespace sock::isolation
