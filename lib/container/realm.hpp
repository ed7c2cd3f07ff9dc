#pragma once

// The privileges under which a Host makes containers. With real root there is one realm and nothing
// to enter. A Host without privilege has one for each user and group that a payload runs as: a user
// namespace that maps the Host's own user to it, and namespaces that belong to that.

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include <sys/types.h>

#include "sock/result.hpp"
#include "sock/spec.hpp"

#include "isolation/namespaces.hpp"
#include "isolation/rootfs/stitcher.hpp"

namespace sock::container {

/// Thread-safe once made.
class Realm {
 public:
  static Result<std::unique_ptr<Realm>> make_privileged(isolation::Composition composition);
  static Result<std::unique_ptr<Realm>> make_rootless(uid_t uid, gid_t gid,
                                                      isolation::Composition composition);

  /// `owner` gets the terminal, if there is one. `user_namespace`: the container's own, or empty.
  Result<isolation::StitchedRoot> make_root(const Rootfs& rootfs,
                                            const std::optional<Terminal>& terminal,
                                            const Identity& owner, FdRef user_namespace,
                                            std::span<const isolation::OwnFile> own_files = {});

  /// Empty with real root.
  [[nodiscard]] FdRef user_namespace() const noexcept { return user_; }
  /// Where roots are made: the machine's mounts as the user namespace may clone them. Empty with
  /// real root, which makes them where it is.
  [[nodiscard]] FdRef host_view() const noexcept { return host_view_; }
  [[nodiscard]] FdRef empty_mount_namespace() const noexcept { return empty_.mount; }
  [[nodiscard]] FdRef empty_network_namespace() const noexcept { return empty_.network; }

 private:
  explicit Realm(isolation::Composition composition) noexcept : stitcher_{composition} {}
  Result<isolation::StitchedRoot> make_root_here(const Rootfs& rootfs,
                                                 const std::optional<Terminal>& terminal,
                                                 const Identity& owner, FdRef user_namespace,
                                                 std::span<const isolation::OwnFile> own_files);

  UniqueFd user_;
  UniqueFd host_view_;  ///< Rootless: the machine's mounts, in a namespace of `user_`.
  isolation::EmptyNamespaces empty_;
  isolation::Stitcher stitcher_;
};

/// Thread-safe.
class Realms {
 public:
  explicit Realms(isolation::Composition composition) noexcept : composition_{composition} {}
  /// The realm for payloads of this identity; valid as long as *this.
  Result<Realm*> find_or_make(const Identity& identity);
  [[nodiscard]] bool rootless() const noexcept;

 private:
  struct Entry {
    uid_t uid;
    gid_t gid;
    std::unique_ptr<Realm> realm;
  };
  const isolation::Composition composition_;
  std::mutex mutex_;  // guards entries_
  std::vector<Entry> entries_;
};

}  // namespace sock::container
