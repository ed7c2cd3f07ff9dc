#pragma once

// What a restore that fails may have made.

#include <string>

#include "sock/result.hpp"

#include "container/groups_to_join.hpp"
#include "isolation/cgroup/pool.hpp"

namespace sock::checkpoint {

/// Processes that CRIU may have made, and nobody else knows of: unless release() says that all went
/// well, they end with this. CRIU makes the first one a child of this thread, and may die without
/// saying which; orphans of other threads, too, become children of this one. Thread-bound.
class Strays {
 public:
  /// `cgroup` is borrowed.
  static Result<Strays> watch(isolation::Cgroup& cgroup, const container::GroupsToJoin& groups);
  Strays(Strays&& other) noexcept;
  Strays& operator=(Strays&&) = delete;
  ~Strays();
  void release() noexcept { cgroup_ = nullptr; }

 private:
  Strays(isolation::Cgroup& cgroup, std::string group) noexcept
      : cgroup_{&cgroup}, group_{std::move(group)} {}
  [[nodiscard]] bool is_in_group(pid_t child) const;

  isolation::Cgroup* cgroup_;
  std::string group_;  ///< "/sock-0123456789abcdef/c7"
};

}  // namespace sock::checkpoint
