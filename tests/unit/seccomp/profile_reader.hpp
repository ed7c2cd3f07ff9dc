#pragma once

// What the tables say about a call, read without the code that resolves and compiles them: the
// oracle of the tests.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <gtest/gtest.h>

#include "sock/seccomp.hpp"

#include "isolation/seccomp/numbers.hpp"
#include "isolation/seccomp/profile.hpp"
#include "isolation/seccomp/program.hpp"

namespace sock::test {

using Arguments = std::array<std::uint64_t, 6>;
using Base = SeccompPolicy::Builder::Base;

#if defined(__x86_64__)
inline constexpr std::uint32_t native_architecture = AUDIT_ARCH_X86_64;
#else
inline constexpr std::uint32_t native_architecture = AUDIT_ARCH_AARCH64;
#endif

inline seccomp_data call_of(int number, const Arguments& arguments = {}) {
  seccomp_data data{
      .nr = number, .arch = native_architecture, .instruction_pointer = 0, .args = {}};
  for (std::size_t i = 0; i < arguments.size(); ++i) data.args[i] = arguments[i];
  return data;
}

/// Fails the test when the name is not one of this machine's system calls.
inline int number_of(std::string_view name) {
  const seccomp::Number number = seccomp::find_number(name);
  EXPECT_EQ(number.known, seccomp::Number::Known::here) << name;
  return number.value;
}

inline std::uint32_t kernel_form(seccomp::Verdict verdict) {
  return verdict.sys_errno == 0 ? std::uint32_t{SECCOMP_RET_ALLOW}
                                : SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(verdict.sys_errno);
}
inline std::uint32_t refused_with(int sys_errno) {
  return kernel_form({sys_errno});
}

inline std::vector<sock_filter> instructions_of(const Result<SeccompPolicy>& policy) {
  EXPECT_TRUE(policy.has_value());
  return policy.has_value() ? policy->program()->instructions : std::vector<sock_filter>{};
}

class ProfileReader {
 public:
  explicit ProfileReader(Base base) {
    read(seccomp::allowed_groups());
    read(seccomp::refused_groups());
    read(seccomp::handler_argument_rules());
    if (base == Base::strict) {
      read(seccomp::strict_groups());
      read(seccomp::strict_argument_rules());
    }
    if (base == Base::zygote) {
      read(seccomp::zygote_groups());
      read(seccomp::zygote_argument_rules());
    }
  }

  [[nodiscard]] std::uint32_t expected(int number, const Arguments& arguments) const {
    const auto found = rules_.find(number);
    return kernel_form(found == rules_.end() ? seccomp::unknown : decide(found->second, arguments));
  }
  [[nodiscard]] const std::map<int, seccomp::Rule>& rules() const { return rules_; }

 private:
  static bool holds(const seccomp::Condition& condition, const Arguments& arguments) {
    const std::uint64_t value = arguments.at(condition.argument) % 0x1'0000'0000;
    return condition.test == seccomp::Condition::Test::equals ? value == condition.operand
                                                              : (value & condition.operand) != 0;
  }
  static seccomp::Verdict decide(const seccomp::Rule& rule, const Arguments& arguments) {
    for (const auto& one : rule.cases) {
      bool all = true;
      for (const auto& condition : one.conditions) all = all && holds(condition, arguments);
      if (all) return one.verdict;
    }
    return rule.otherwise;
  }
  void read(std::span<const seccomp::Group> groups) {
    for (const auto& group : groups)
      for (const auto name : group.names) put(name, {.otherwise = group.verdict});
  }
  void read(std::span<const seccomp::ArgumentRule> argument_rules) {
    for (const auto& [name, rule] : argument_rules) put(name, rule);
  }
  void put(std::string_view name, seccomp::Rule rule) {
    const seccomp::Number number = seccomp::find_number(name);
    if (number.known == seccomp::Number::Known::here) rules_[number.value] = rule;
  }

  std::map<int, seccomp::Rule> rules_;
};

}  // namespace sock::test
