#pragma once

// A root under construction. Since Linux 6.15 mounts are attached to the detached tree at once;
// before, they are collected for the child, which attaches them in its own mount namespace.

#include <string>
#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "isolation/rootfs/layout.hpp"

namespace sock::isolation {

enum class Composition : std::uint8_t { detached, by_child };

struct PendingMount {
  UniqueFd mount;
  std::string target;
};

/// Thread-bound.
class Tree {
 public:
  Tree() = default;
  Tree(UniqueFd root, Composition composition) noexcept
      : root_{std::move(root)}, composition_{composition} {}

  /// `target` is resolved inside the tree and cannot leave it. On failure: Stage::rootfs, naming
  /// the target.
  Result<> attach(UniqueFd mount, const std::string& target);

  /// A handle (O_PATH) of what was attached at `target`.
  [[nodiscard]] Result<UniqueFd> open_attached(const std::string& target) const;

  [[nodiscard]] const UniqueFd& root() const noexcept { return root_; }
  [[nodiscard]] UniqueFd take_root() && noexcept { return std::move(root_); }
  [[nodiscard]] const std::vector<PendingMount>& pending() const noexcept { return pending_; }
  [[nodiscard]] Composition composition() const noexcept { return composition_; }

 private:
  UniqueFd root_;
  Composition composition_ = Composition::detached;
  std::vector<PendingMount> pending_;
};

/// Makes the mount point and the directories above it, below an own, fresh file system.
Result<> make_mount_point(FdRef filesystem, const MountPoint& point);

}  // namespace sock::isolation
