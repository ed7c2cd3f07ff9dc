#pragma once

// System call policies: compiled once, shared by any number of containers.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>

#include "sock/result.hpp"
#include "sock/unsafe.hpp"

namespace sock {

/// A compiled, immutable filter. Cheap to copy; compare, store and share it.
/// Thread safety: immutable after construction.
class SeccompPolicy {
 public:
  class Builder;
  struct Program;

  /// The default: everything that language runtimes and ordinary programs use. Refuses with EPERM
  /// what containers never need (mount, ptrace, bpf, keyctl, userfaultfd, perf, kexec, modules,
  /// new namespaces, terminal injection); with EAFNOSUPPORT AF_VSOCK and every socket family but
  /// unix, inet, inet6 and netlink's route; with ENOSYS what this library does not know, io_uring,
  /// whose operations pass no filter, and clone3, whose flags a filter cannot see. Entering through
  /// another architecture (int 0x80, x32) kills the process.
  [[nodiscard]] static Result<SeccompPolicy> handler();
  /// For judges and code interpreters: handler() without sockets other than AF_UNIX, without
  /// System V IPC and without personality changes.
  [[nodiscard]] static Result<SeccompPolicy> strict();
  /// For processes that fork containers: handler(), and what making one takes inside a user
  /// namespace: new pid, ipc, uts, cgroup and net namespaces (no user or mount namespace), chroot
  /// and sethostname.
  [[nodiscard]] static Result<SeccompPolicy> zygote();
  /// No filter at all.
  [[nodiscard]] static SeccompPolicy none(unsafe::AllowAllSyscalls) noexcept;

  /// The program in the kernel's form; null for none().
  [[nodiscard]] const Program* program() const noexcept { return program_.get(); }
  /// Equal when they are the same compiled program.
  friend bool operator==(const SeccompPolicy&, const SeccompPolicy&) noexcept = default;

 private:
  explicit SeccompPolicy(std::shared_ptr<const Program> program) noexcept
      : program_{std::move(program)} {}
  std::shared_ptr<const Program> program_;
};

/// Changes a base profile. The last rule that names a system call decides. Mistakes (an unknown
/// name, a bad errno) are remembered and reported once, by compile().
class SeccompPolicy::Builder {
 public:
  enum class Base : std::uint8_t { handler, strict, zygote };
  explicit Builder(Base base);
  Builder(Builder&&) noexcept;
  Builder& operator=(Builder&&) noexcept;
  ~Builder();

  /// Refuses these system calls with `sys_errno` (1 to 4095).
  Builder& deny(std::initializer_list<std::string_view> syscalls, int sys_errno);
  Builder& deny(std::string_view syscall, int sys_errno);
  Builder& allow(const unsafe::AllowSyscall& token);
  Builder& allow(unsafe::AllowPtrace);
  Builder& allow(unsafe::AllowNestedUserNamespaces);
  Builder& allow(unsafe::AllowMount);
  Builder& allow(unsafe::AllowIoUring);

  /// Compiles; about 30 us for a profile of 400 rules, most of it to look names up.
  /// On failure: Stage::seccomp with the offending name as subject.
  [[nodiscard]] Result<SeccompPolicy> compile() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sock
