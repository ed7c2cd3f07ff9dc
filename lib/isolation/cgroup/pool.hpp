#pragma once

// One interface over cgroup v2, v1 and hybrid machines, and over none: groups are made ahead of
// time, kept with their control files open, and given back after use (SOCK, section 4.1: pooled
// cgroups).

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sock/container.hpp"
#include "sock/host.hpp"
#include "sock/result.hpp"
#include "sock/spec.hpp"

#include "isolation/features.hpp"

namespace sock::isolation {

class CgroupPool;

/// A group that is taken from a pool. Destroying it gives it back; a group that cannot be emptied
/// or reset is removed, or left to the pool's end if the kernel still holds it. In a process that
/// fork() made from the pool's owner, it only closes descriptors.
/// Thread safety: as Container.
class Cgroup {
 public:
  Cgroup() noexcept;
  Cgroup(Cgroup&&) noexcept;
  Cgroup& operator=(Cgroup&&) noexcept;
  ~Cgroup();

  /// For CLONE_INTO_CGROUP; empty where the machine or the kernel cannot, or this group must not
  /// be entered that way.
  [[nodiscard]] FdRef clone_into() const noexcept;
  /// Kept descriptors (cgroup.procs, of v1 `tasks`) to which the child writes "0", in this order,
  /// as long as it is a single thread. Does not contain the group of clone_into() when that is not
  /// empty.
  [[nodiscard]] std::span<const int> join_fds() const noexcept;

  /// To be said before its descriptors are given to somebody who is not trusted: after this use
  /// the group is removed, so that they lead nowhere, and another takes its place in the pool.
  void expose() noexcept;

  /// All tasks are frozen on return. On failure (Stage::pause) the group is thawed again.
  Result<> freeze(std::chrono::steady_clock::time_point deadline);
  Result<> thaw();
  /// Sends SIGKILL to every task, frozen or not, and returns when none is left (Stage::kill).
  Result<> kill_all(std::chrono::steady_clock::time_point deadline);
  /// Stage::cgroup; a limit that the kernel refuses is named with its value.
  Result<> limit(const Resources& resources);
  [[nodiscard]] Result<Stats> stats() const;
  /// Whether all of it dies when it is out of memory; at first not. To be said when no process of
  /// it has the memory of this program, as one between clone and execve has: whoever shares a
  /// victim's memory is killed with it. KERNEL: v2 only, 4.19; elsewhere nothing happens.
  void die_as_one(bool wanted) noexcept;
  /// OOM kills since the group was taken; 0 where they are not counted.
  [[nodiscard]] std::uint64_t oom_kills() const;

 private:
  friend class CgroupPool;
  struct Group;
  Cgroup(CgroupPool* pool, std::unique_ptr<Group> group) noexcept;
  CgroupPool* pool_;
  std::unique_ptr<Group> group_;
};

/// Thread-safe. Must outlive the groups taken from it.
class CgroupPool {
 public:
  /// Chooses the backend and decides where this Host's groups go, creating nothing yet.
  /// `instance` names this Host's directory in each hierarchy.
  static Result<std::unique_ptr<CgroupPool>> plan(const CgroupOptions& options,
                                                  const KernelFeatures& features,
                                                  const std::string& instance);
  /// Absolute directories that prepare() will create, one for each hierarchy. They are recorded on
  /// disk before, so that they can be found whatever happens.
  [[nodiscard]] std::vector<std::string> directories() const;
  /// Creates the directories and the reserve.
  Result<> prepare();
  /// Kills what is left in the directories and removes them. In a process that fork() made from
  /// the one that planned the pool, it only closes descriptors.
  ~CgroupPool();

  [[nodiscard]] CgroupBackend backend() const noexcept;
  /// Stage::cgroup. With CgroupBackend::none, an empty group if `resources` asks for nothing that
  /// needs one (the default pids_max does not count), else Errc::unsupported naming the limit.
  Result<Cgroup> take(const Resources& resources);

 private:
  friend class Cgroup;
  struct Impl;
  explicit CgroupPool(std::unique_ptr<Impl>) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sock::isolation
