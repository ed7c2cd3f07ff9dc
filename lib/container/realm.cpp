// The privileges under which a Host makes containers.

#include "container/realm.hpp"

#include <algorithm>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/try.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"
#include "sys/spawn.hpp"
#include "sys/terminal.hpp"

namespace sock::container {
namespace {

using isolation::Composition;
using isolation::StitchedRoot;

// A copy of the caller's mount namespace that belongs to the user namespace: from there the
// machine's directories may be cloned.
Result<UniqueFd> make_host_view(FdRef user_namespace) {
  Result<UniqueFd> view = base::refuse(Errc::io, Stage::namespaces, "mount namespace");
  const auto make = [&]() -> Result<UniqueFd> {
    SOCK_TRY(sys::enter_namespace(user_namespace, CLONE_NEWUSER));
    SOCK_TRY(sys::leave_namespaces(CLONE_NEWNS));
    return sys::open(sys::cwd, "/proc/self/ns/mnt", O_RDONLY);
  };
  SOCK_TRY(sys::run_in_child([&] { view = make(); }));
  return view;
}

}  // namespace

Result<std::unique_ptr<Realm>> Realm::make_privileged(Composition composition) {
  std::unique_ptr<Realm> realm{new Realm{composition}};
  realm->empty_ = SOCK_TRY(isolation::make_empty_namespaces(FdRef{}));
  return realm;
}

Result<std::unique_ptr<Realm>> Realm::make_rootless(uid_t uid, gid_t gid, Composition composition) {
  std::unique_ptr<Realm> realm{new Realm{composition}};
  realm->user_ = SOCK_TRY(isolation::make_user_namespace(
      {.uids = {{.inside = uid, .outside = ::geteuid(), .count = 1}},
       .gids = {{.inside = gid, .outside = ::getegid(), .count = 1}}}));
  realm->host_view_ = SOCK_TRY(base::in_stage(Stage::namespaces, make_host_view(realm->user_)));
  realm->empty_ = SOCK_TRY(isolation::make_empty_namespaces(realm->user_));
  return realm;
}

Result<StitchedRoot> Realm::make_root(const Rootfs& rootfs, const std::optional<Terminal>& terminal,
                                      const Identity& owner, FdRef user_namespace,
                                      std::span<const isolation::OwnFile> own_files) {
  if (!user_) return make_root_here(rootfs, terminal, owner, user_namespace, own_files);
  if (rootfs.shift_owners)
    return base::refuse(Errc::unsupported, Stage::rootfs, "shift_owners",
                        "only real root can make id-mapped mounts");
  Result<StitchedRoot> root = base::refuse(Errc::io, Stage::rootfs, "root");
  const auto make = [&]() -> Result<StitchedRoot> {
    SOCK_TRY(base::in_stage(Stage::rootfs, sys::enter_namespace(user_, CLONE_NEWUSER)));
    SOCK_TRY(base::in_stage(Stage::rootfs, sys::enter_namespace(host_view_, CLONE_NEWNS)));
    return make_root_here(rootfs, terminal, owner, {}, own_files);
  };
  SOCK_TRY(base::in_stage(Stage::rootfs, sys::run_in_child([&] { root = make(); })));
  return root;
}

Result<StitchedRoot> Realm::make_root_here(const Rootfs& rootfs,
                                           const std::optional<Terminal>& terminal,
                                           const Identity& owner, FdRef user_namespace,
                                           std::span<const isolation::OwnFile> own_files) {
  StitchedRoot root = SOCK_TRY(stitcher_.make(rootfs, terminal, user_namespace, own_files));
  if (root.terminal && !user_)
    SOCK_TRY(
        base::in_stage(Stage::rootfs, sys::set_owner(root.terminal->slave, owner.uid, owner.gid)));
  return root;
}

bool Realms::rootless() const noexcept {
  return ::geteuid() != 0;
}

Result<Realm*> Realms::find_or_make(const Identity& identity) {
  const uid_t uid = rootless() ? identity.uid : 0;
  const gid_t gid = rootless() ? identity.gid : 0;
  const std::scoped_lock lock{mutex_};
  const auto known = std::ranges::find_if(
      entries_, [&](const Entry& entry) { return entry.uid == uid && entry.gid == gid; });
  if (known != entries_.end()) return known->realm.get();
  Result<std::unique_ptr<Realm>> made = rootless() ? Realm::make_rootless(uid, gid, composition_)
                                                   : Realm::make_privileged(composition_);
  if (!made) return std::unexpected(std::move(made).error());
  entries_.push_back({.uid = uid, .gid = gid, .realm = std::move(*made)});
  return entries_.back().realm.get();
}

}  // namespace sock::container
