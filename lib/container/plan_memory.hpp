#pragma once

// The memory behind a child::Plan: pointers and arrays in the kernel's form, alive until the child
// has called execve().

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <linux/filter.h>

#include "sock/fd.hpp"
#include "sock/result.hpp"
#include "sock/spec.hpp"

#include "child/plan.hpp"
#include "isolation/process_limits.hpp"
#include "isolation/rootfs/tree.hpp"

namespace sock::container {

/// Stacks of the child and, with an init, of the payload; neither uses more than a few hundred
/// bytes, and the lock-step of vfork means that nobody else runs on ours meanwhile.
struct ChildStacks {
  static constexpr std::size_t size = 8192;
  alignas(16) std::array<std::byte, size> first;
  alignas(16) std::array<std::byte, size> second;
};

struct InitRequest {
  FdRef program;
  FdRef life_line;
  FdRef report;
  std::chrono::milliseconds time_limit{0};  ///< 0: none
  bool outlives_payload = false;
  std::byte* payload_stack_top = nullptr;
};

/// Not movable: the plan points into it.
class PlanMemory {
 public:
  PlanMemory() = default;
  PlanMemory(const PlanMemory&) = delete;
  PlanMemory& operator=(const PlanMemory&) = delete;

  child::Plan plan;
  child::Report report;

  void set_command(const std::vector<std::string>& argv, const std::vector<std::string>& env,
                   const std::vector<std::string>& programs);
  void add_env(std::string variable);
  void set_limits(const std::vector<isolation::ResourceLimit>& limits);
  void set_mounts(const std::vector<isolation::PendingMount>& mounts);
  void set_seccomp(const std::vector<sock_filter>& instructions);
  void set_fds(std::vector<int> fds);
  void set_init(const InitRequest& request);
  /// Ties the plan to the arrays; to be called last.
  child::Plan& finish();

 private:
  std::vector<char*> argv_;
  std::vector<char*> envp_;
  std::vector<std::string> own_env_;
  std::vector<const char*> programs_;
  std::vector<child::LimitStep> limits_;
  std::vector<child::MountStep> mounts_;
  sock_fprog seccomp_{};
  std::vector<int> fds_;
  std::array<std::array<char, 24>, 6> init_words_{};
  std::array<char*, 7> init_argv_{};
};

/// What the child could not do, in words: the stage with its path, limit or program.
Error explain(const child::Report& report, const child::Plan& plan);

}  // namespace sock::container
