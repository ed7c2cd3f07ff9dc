#pragma once

// One container's group over all branches in use: a leaf in each, with the limits that hold in
// them. What Cgroup shows to the launcher, and what the pool keeps.

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "sock/container.hpp"
#include "sock/fd.hpp"
#include "sock/result.hpp"
#include "sock/spec.hpp"

#include "isolation/cgroup/backend.hpp"
#include "isolation/cgroup/counters.hpp"
#include "isolation/cgroup/emptying.hpp"
#include "isolation/cgroup/leaf.hpp"
#include "isolation/cgroup/limits.hpp"

namespace sock::isolation {

/// How groups are used on this machine: the same for all of one pool, and outlives them.
struct GroupTraits {
  BackendChoice choice;
  LimitFiles limits;
  KillBy kill_by = KillBy::signals;
  bool clone_into = false;  ///< The kernel has CLONE_INTO_CGROUP and the anchor is v2.
};

/// Thread safety: as Cgroup.
class LeafGroup {
 public:
  /// `parents` are the instance's directories in the branches' order, and outlive the group.
  static Result<std::unique_ptr<LeafGroup>> create(const GroupTraits& traits,
                                                   std::span<const UniqueFd> parents,
                                                   const std::string& name);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] FdRef clone_into() const noexcept;
  [[nodiscard]] std::span<const int> join_fds() const noexcept;
  Result<> freeze(sys::Deadline deadline);
  Result<> thaw();
  Result<> kill_all(sys::Deadline deadline);
  /// All or nothing: on failure the old limits hold.
  Result<> limit(const Resources& resources);
  [[nodiscard]] Result<Stats> stats() const;
  [[nodiscard]] std::uint64_t oom_kills() const;

  /// As Cgroup::die_as_one().
  void die_as_one(bool wanted) noexcept;

  [[nodiscard]] Result<bool> is_empty() const;
  /// Somebody who is not trusted holds its descriptors from now on, and may enter any leaf at any
  /// time: it has no next user.
  void expose() noexcept { exposed_ = true; }
  [[nodiscard]] bool is_exposed() const noexcept { return exposed_; }
  /// Makes an empty group ready for its next user. False when it must not be used again.
  [[nodiscard]] bool recycle();
  /// Removes the leaves, as far as the kernel lets go of them: Errc::exhausted when it does not
  /// yet. Of an exposed group, whoever is still in a leaf is killed.
  Result<> remove();

 private:
  LeafGroup(const GroupTraits& traits, std::string name)
      : traits_{traits}, name_{std::move(name)} {}
  Result<> open_joins();
  Result<> remove_leaves();
  void kill_in_every_leaf();
  [[nodiscard]] Result<> apply(const LimitWrite& write);
  void undo(std::span<const LimitWrite> written);
  [[nodiscard]] Result<std::size_t> freezer() const;

  const GroupTraits& traits_;
  std::string name_;
  std::deque<Leaf> leaves_;  // one for each branch, in their order
  UniqueFd directory_;       // of the anchor, for CLONE_INTO_CGROUP
  std::vector<int> joins_;   // kept by the leaves; the anchor's first
  Resources limits_ = no_limits();
  Stats before_ = {};          // running counters when the present user came
  bool had_quota_ = false;     // a CPU quota held at some time since before_ was read
  bool peak_is_known_ = true;  // memory_peak counts the present user only
  bool spoiled_ = false;       // its limits are not known
  bool exposed_ = false;
  bool dies_as_one_ = false;
  std::atomic<bool> frozen_ = false;
  std::atomic<bool> killed_ = false;  // cgroup.kill was written
};

}  // namespace sock::isolation
