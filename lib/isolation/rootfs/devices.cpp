// The minimal /dev, and pseudo-terminals.

#include "isolation/rootfs/devices.hpp"

#include <array>
#include <string>
#include <vector>

#include <fcntl.h>

#include "base/try.hpp"
#include "sys/file.hpp"
#include "sys/mount.hpp"
#include "sys/terminal.hpp"

namespace sock::isolation {
namespace {

using sys::Depth;
using sys::MountFlags;

struct Device {
  const char* name;
  unsigned minor;
  unsigned major = 1;
};
constexpr std::array devices{
    Device{"null", 3},   Device{"zero", 5},    Device{"full", 7},
    Device{"random", 8}, Device{"urandom", 9}, Device{"tty", 0, 5},
};

struct Link {
  const char* name;
  const char* target;
};
constexpr std::array links{
    Link{"fd", "/proc/self/fd"},       Link{"stdin", "/proc/self/fd/0"},
    Link{"stdout", "/proc/self/fd/1"}, Link{"stderr", "/proc/self/fd/2"},
    Link{"ptmx", "pts/ptmx"},
};

// Tries to make the device; without the right to, the machine's own becomes a mount for its place.
Result<> make_or_bind(FdRef dev, const Device& device, std::vector<PendingMount>& binds) {
  auto made = sys::make_device(dev, device.name, device.major, device.minor);
  if (made.has_value()) return sys::set_mode(dev, device.name, 0666);
  if (made.error().code != Errc::denied) return made;
  const std::string path = std::string{"/dev/"} + device.name;
  SOCK_TRY(make_mount_point(
      dev, {.path = std::string{"/"} + device.name, .kind = MountPoint::Kind::file}));
  UniqueFd bound = SOCK_TRY(sys::clone_mount(sys::cwd, path, Depth::one_mount));
  // It can be written to all the same, but not changed: whoever is root here may be its owner.
  SOCK_TRY(sys::restrict_mount(
      bound, MountFlags::read_only | MountFlags::no_suid | MountFlags::no_exec, Depth::one_mount));
  binds.push_back({.mount = std::move(bound), .target = path});
  return {};
}

// KERNEL: only the top of a detached tree can still be changed by mount_setattr, so /dev is
// finished before it becomes part of one, and moves into it with what is mounted on it.
Result<> attach_below(Tree& tree, UniqueFd dev, std::vector<PendingMount> binds) {
  if (tree.composition() == Composition::detached)
    for (const PendingMount& bind : binds) {
      const UniqueFd place = SOCK_TRY(sys::open_beneath(dev, bind.target.substr(5), O_PATH));
      SOCK_TRY(sys::attach_mount(bind.mount, place));
    }
  SOCK_TRY(tree.attach(std::move(dev), "/dev"));
  if (tree.composition() == Composition::by_child)
    for (PendingMount& bind : binds) {
      const std::string target = bind.target;
      SOCK_TRY(tree.attach(std::move(bind.mount), target));
    }
  return {};
}

Result<UniqueFd> make_devpts() {
  return sys::make_filesystem("devpts",
                              {{"newinstance", ""}, {"ptmxmode", "0666"}, {"mode", "0620"}},
                              MountFlags::no_suid | MountFlags::no_exec);
}

Result<TerminalPair> open_pair(FdRef pts, const Terminal& terminal) {
  TerminalPair pair;
  pair.master = SOCK_TRY(sys::open(pts, "ptmx", O_RDWR | O_NOCTTY));
  pair.slave = SOCK_TRY(sys::open_peer(pair.master));
  SOCK_TRY(sys::set_window(pair.master, terminal.rows, terminal.columns));
  return pair;
}

}  // namespace

Result<> attach_devices(Tree& tree) {
  constexpr MountFlags flags = MountFlags::no_suid | MountFlags::no_exec;
  UniqueFd dev = SOCK_TRY(sys::make_filesystem(
      "tmpfs", {{"size", "64k"}, {"nr_inodes", "64"}, {"mode", "0755"}}, flags));
  for (const Link& link : links) SOCK_TRY(sys::make_symlink(dev, link.name, link.target));
  SOCK_TRY(sys::make_dir(dev, "shm", 0755));
  SOCK_TRY(sys::make_dir(dev, "pts", 0755));
  std::vector<PendingMount> binds;
  for (const Device& device : devices) SOCK_TRY(make_or_bind(dev, device, binds));
  SOCK_TRY(sys::restrict_mount(dev, flags | MountFlags::read_only, Depth::one_mount));
  return attach_below(tree, std::move(dev), std::move(binds));
}

Result<TerminalPair> attach_terminal(Tree& tree, const Terminal& terminal) {
  UniqueFd pts = SOCK_TRY(make_devpts());
  TerminalPair pair = SOCK_TRY(open_pair(pts, terminal));
  SOCK_TRY(tree.attach(std::move(pts), "/dev/pts"));
  return pair;
}

Result<TerminalPair> make_nameless_terminal(const Terminal& terminal) {
  const UniqueFd pts = SOCK_TRY(make_devpts());
  return open_pair(pts, terminal);
}

}  // namespace sock::isolation
