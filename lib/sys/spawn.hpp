#pragma once

// Children that share the caller's memory while the calling thread is suspended (CLONE_VM and
// CLONE_VFORK): their cost does not grow with the caller's size, and they are safe from any thread.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include <sys/types.h>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

enum class CloneCall : std::uint8_t { clone3, clone };

struct SpawnRequest {
  std::uint64_t flags;  ///< CLONE_NEW* and the like; VM, VFORK and PIDFD are added.
  CloneCall call = CloneCall::clone3;
  int cgroup = -1;  ///< For CLONE_INTO_CGROUP; needs clone3.
  std::span<std::byte> stack;
  void (*entry)(void*);  ///< Runs in the child and must not return.
  void* entry_argument;
  /// Of a child that only makes another one (with CLONE_FILES) and waits for that: its pidfd, once
  /// there is one. Where this is given, the other one is killed after `patience`.
  const int* made = nullptr;
  std::chrono::milliseconds patience = {};
};

struct Spawned {
  UniqueFd pidfd;
  pid_t pid;
  bool patience_ended = false;  ///< What the child has made was killed.
};

/// Starts the child and returns when it has called execve() or ended; one with `made`, when it has
/// ended. All signals are blocked in the child and must be unblocked there; signal handlers are
/// reset where clone3 is used. The child has no exit signal, so a SIGCHLD handler of the program
/// does not see one that fails early.
Result<Spawned> spawn(const SpawnRequest& request);

/// Runs `work` in a child that shares memory and descriptors with the caller, and returns when it
/// is done: for what needs other credentials or namespaces than the caller's own, which `work`
/// takes on first. `work` may allocate, but must not throw, nor keep thread-local state.
Result<> run_in_child(const std::function<void()>& work);

/// A process in a new user namespace that does nothing but wait for its end, so that the namespace
/// can be given its maps and be opened.
class UserNamespaceHolder {
 public:
  static Result<UserNamespaceHolder> start();
  UserNamespaceHolder(UserNamespaceHolder&&) noexcept;
  UserNamespaceHolder& operator=(UserNamespaceHolder&&) = delete;
  ~UserNamespaceHolder();  ///< Ends and reaps the process.
  [[nodiscard]] pid_t pid() const noexcept;

 private:
  struct Impl;
  explicit UserNamespaceHolder(std::unique_ptr<Impl>) noexcept;
  std::unique_ptr<Impl> impl_;
};

/// setns(2) and unshare(2), for the work of run_in_child().
Result<> enter_namespace(FdRef ns, int kind);
Result<> leave_namespaces(int kinds);

}  // namespace sock::sys
