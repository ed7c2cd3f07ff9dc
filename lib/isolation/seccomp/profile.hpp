#pragma once

// The profiles as plain tables: what each system call gets, by name, before anything is resolved or
// compiled. A profile is read from the top: a later row that names a call replaces an earlier one.
// A call that no row names is unknown to this library and gets `unknown`.

#include <cerrno>
#include <cstdint>
#include <span>
#include <string_view>

namespace sock::seccomp {

/// What the filter answers: allowed, or refused with an error number.
struct Verdict {
  int sys_errno = 0;  ///< 0: allowed.
  friend constexpr bool operator==(Verdict, Verdict) noexcept = default;
};
inline constexpr Verdict allowed{};
inline constexpr Verdict refused{EPERM};
/// As a kernel without the feature would answer, so that callers use what they used before it.
inline constexpr Verdict absent{ENOSYS};
inline constexpr Verdict unknown = absent;

/// Whether an argument satisfies a case. Only the low 32 bits are looked at: every argument
/// filtered here is 32 bits wide in the kernel, which ignores what a caller leaves in the upper
/// half (CVE-2019-10063: a comparison of all 64 bits can be walked around).
struct Condition {
  enum class Test : std::uint8_t { equals, has_any_bit };
  std::uint8_t argument;  ///< 0 to 5.
  Test test;
  std::uint32_t operand;
};

/// All conditions hold: this verdict. The first such case decides.
struct ArgumentCase {
  std::span<const Condition> conditions;
  Verdict verdict;
};

/// The treatment of one system call.
struct Rule {
  std::span<const ArgumentCase> cases = {};
  Verdict otherwise;
};

/// System calls that get the same verdict whatever their arguments.
struct Group {
  std::string_view purpose;
  Verdict verdict;
  std::span<const std::string_view> names;
};

/// One system call whose arguments decide.
struct ArgumentRule {
  std::string_view name;
  Rule rule;
};

/// The handler profile: these groups, then these argument rules.
[[nodiscard]] std::span<const Group> allowed_groups() noexcept;
[[nodiscard]] std::span<const Group> refused_groups() noexcept;
[[nodiscard]] std::span<const ArgumentRule> handler_argument_rules() noexcept;

/// What the strict profile adds after the handler profile.
[[nodiscard]] std::span<const Group> strict_groups() noexcept;
[[nodiscard]] std::span<const ArgumentRule> strict_argument_rules() noexcept;

/// What the zygote profile adds after the handler profile.
[[nodiscard]] std::span<const Group> zygote_groups() noexcept;
[[nodiscard]] std::span<const ArgumentRule> zygote_argument_rules() noexcept;

/// What the Builder's tokens allow.
[[nodiscard]] std::span<const std::string_view> ptrace_calls() noexcept;
[[nodiscard]] std::span<const std::string_view> nested_namespace_calls() noexcept;
[[nodiscard]] std::span<const std::string_view> mount_calls() noexcept;
[[nodiscard]] std::span<const std::string_view> io_uring_calls() noexcept;

}  // namespace sock::seccomp
