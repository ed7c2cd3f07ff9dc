// Namespaces that are made once per Host.

#include "isolation/namespaces.hpp"

#include <algorithm>
#include <iterator>

#include <sched.h>
#include <unistd.h>

#include "base/try.hpp"
#include "sys/file.hpp"
#include "sys/mount.hpp"
#include "sys/network.hpp"
#include "sys/root.hpp"
#include "sys/spawn.hpp"

namespace sock::isolation {
namespace {

std::string map_text(const std::vector<IdRange>& ranges) {
  std::string text;
  for (const IdRange& range : ranges)
    text += std::to_string(range.inside) + " " + std::to_string(range.outside) + " " +
            std::to_string(range.count) + "\n";
  return text;
}

// Runs in a child of its own: what it enters and leaves is not the caller's.
Result<EmptyNamespaces> make_in_child(FdRef user_namespace) {
  if (user_namespace) SOCK_TRY(sys::enter_namespace(user_namespace, CLONE_NEWUSER));
  SOCK_TRY(sys::leave_namespaces(CLONE_NEWNS | CLONE_NEWNET));
  EmptyNamespaces made;
  made.mount = SOCK_TRY(sys::open(sys::cwd, "/proc/self/ns/mnt", O_RDONLY));
  made.network = SOCK_TRY(sys::open(sys::cwd, "/proc/self/ns/net", O_RDONLY));
  const UniqueFd empty = SOCK_TRY(sys::make_filesystem(
      "tmpfs", {{"size", "4k"}, {"nr_inodes", "4"}, {"mode", "0555"}},
      sys::MountFlags::no_suid | sys::MountFlags::no_devices | sys::MountFlags::no_exec));
  SOCK_TRY(sys::make_dir(empty, &attach_point[1], 0));
  SOCK_TRY(sys::restrict_mount(empty, sys::MountFlags::read_only, sys::Depth::one_mount));
  SOCK_TRY(sys::switch_root(empty));
  return made;
}

Result<UniqueFd> make_network_in_child(Loopback loopback) {
  SOCK_TRY(sys::leave_namespaces(CLONE_NEWNET));
  if (loopback == Loopback::up) SOCK_TRY(sys::bring_up_loopback());
  return sys::open(sys::cwd, "/proc/self/ns/net", O_RDONLY);
}

Result<UniqueFd> make_with_maps(const UserNamespace& maps) {
  const auto holder = SOCK_TRY(sys::UserNamespaceHolder::start());
  const UniqueFd process =
      SOCK_TRY(sys::open(sys::cwd, "/proc/" + std::to_string(holder.pid()), O_PATH | O_DIRECTORY));
  // An unprivileged writer may map groups only after giving up setgroups() for good.
  if (::geteuid() != 0) SOCK_TRY(sys::write_at(process, "setgroups", "deny"));
  SOCK_TRY(sys::write_at(process, "gid_map", map_text(maps.gids)));
  SOCK_TRY(sys::write_at(process, "uid_map", map_text(maps.uids)));
  return sys::open(process, "ns/user", O_RDONLY);
}

Result<> check_ranges(const std::vector<IdRange>& ranges, const std::string& what) {
  const auto bad = [&](const std::string& why) {
    return base::refuse(Errc::invalid_spec, Stage::validate, what, why);
  };
  if (ranges.empty()) return bad("a user namespace needs at least one range");
  if (ranges.size() > 340) return bad("the kernel takes at most 340 ranges");
  for (const IdRange& range : ranges) {
    constexpr std::uint64_t limit = 0xffff'ffff;  // The last id means "no id".
    if (range.count == 0) return bad("a range is empty");
    if (std::uint64_t{range.inside} + range.count > limit ||
        std::uint64_t{range.outside} + range.count > limit)
      return bad("a range goes beyond the last id");
  }
  return {};
}

}  // namespace

Result<EmptyNamespaces> make_empty_namespaces(FdRef user_namespace) {
  Result<EmptyNamespaces> made = base::refuse(Errc::io, Stage::namespaces, "empty namespaces");
  SOCK_TRY(base::in_stage(Stage::namespaces,
                          sys::run_in_child([&] { made = make_in_child(user_namespace); })));
  return base::in_stage(Stage::namespaces, std::move(made));
}

Result<UniqueFd> make_network_namespace(Loopback loopback) {
  Result<UniqueFd> made = base::refuse(Errc::io, Stage::namespaces, "network namespace");
  SOCK_TRY(base::in_stage(Stage::namespaces,
                          sys::run_in_child([&] { made = make_network_in_child(loopback); })));
  return base::in_stage(Stage::namespaces, std::move(made));
}

Result<UniqueFd> make_user_namespace(const UserNamespace& maps) {
  return base::in_stage(Stage::namespaces, make_with_maps(maps));
}

Result<SharedNamespace> UserNamespaces::find_or_make(const UserNamespace& maps) {
  const std::scoped_lock lock{mutex_};
  const auto known = std::ranges::find(entries_, maps, &Entry::maps);
  if (known != entries_.end()) {
    std::rotate(known, std::next(known), entries_.end());
    return entries_.back().fd;
  }
  auto made = std::make_shared<const UniqueFd>(SOCK_TRY(make_user_namespace(maps)));
  entries_.push_back({.maps = maps, .fd = made});
  forget_idle();
  return made;
}

void UserNamespaces::forget(const UserNamespace& maps) {
  const std::scoped_lock lock{mutex_};
  std::erase_if(entries_, [&](const Entry& entry) { return entry.maps == maps; });
}

// Each is a descriptor, and counts for the kernel's own limit.
void UserNamespaces::forget_idle() {
  constexpr std::ptrdiff_t most_idle = 16;
  const auto is_idle = [](const Entry& entry) { return entry.fd.use_count() == 1; };
  auto surplus = std::ranges::count_if(entries_, is_idle) - most_idle;
  std::erase_if(entries_, [&](const Entry& entry) { return is_idle(entry) && surplus-- > 0; });
}

Result<> check_maps(const UserNamespace& maps) {
  SOCK_TRY(check_ranges(maps.uids, "uid map"));
  return check_ranges(maps.gids, "gid map");
}

}  // namespace sock::isolation
