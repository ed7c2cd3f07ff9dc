// The /etc of host_image.

#include "isolation/rootfs/host_etc.hpp"

#include <array>
#include <string_view>

#include <fcntl.h>

#include "base/try.hpp"
#include "sys/file.hpp"
#include "sys/mount.hpp"

namespace sock::isolation {
namespace {

struct OwnFile {
  const char* path;
  std::string_view content;
};
constexpr std::array own_files{
    OwnFile{"etc/passwd",
            "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"},
    OwnFile{"etc/group", "root:x:0:\nnogroup:x:65534:\n"},
    OwnFile{"etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"},
    OwnFile{"etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"},
};

// What programs in /usr look for: the loader's cache, certificates, alternatives. Each may be
// missing on a machine.
struct Bound {
  const char* path;
  MountPoint::Kind kind;
};
constexpr std::array bound{
    Bound{"/etc/ld.so.cache", MountPoint::Kind::file},
    Bound{"/etc/alternatives", MountPoint::Kind::directory},
    Bound{"/etc/ssl/certs", MountPoint::Kind::directory},
};

Result<> write_own(FdRef root, const OwnFile& file) {
  const UniqueFd out =
      SOCK_TRY(sys::open(root, file.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0444));
  return sys::write_all(out, file.content);
}

Result<> bind_from_host(Tree& tree, const Bound& item) {
  auto mount = sys::clone_mount(sys::cwd, item.path, sys::Depth::one_mount);
  if (!mount) return {};
  SOCK_TRY(sys::restrict_mount(*mount,
                               sys::MountFlags::read_only | sys::MountFlags::no_suid |
                                   sys::MountFlags::no_devices | sys::MountFlags::no_exec,
                               sys::Depth::one_mount));
  SOCK_TRY(make_mount_point(tree.root(), {.path = item.path, .kind = item.kind}));
  return tree.attach(std::move(*mount), item.path);
}

}  // namespace

Result<> attach_host_etc(Tree& tree) {
  SOCK_TRY(sys::ensure_dir(tree.root(), "etc", 0755));
  for (const OwnFile& file : own_files) SOCK_TRY(write_own(tree.root(), file));
  for (const Bound& item : bound) SOCK_TRY(bind_from_host(tree, item));
  return {};
}

}  // namespace sock::isolation
