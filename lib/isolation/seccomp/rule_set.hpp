#pragma once

// A profile resolved to this machine's numbers: one rule per system call, the last one that named
// it.

#include <cstdint>
#include <map>
#include <span>
#include <string_view>

#include "isolation/seccomp/profile.hpp"

namespace sock::seccomp {

class RuleSet {
 public:
  enum class Naming : std::uint8_t { done, unknown_name };

  static RuleSet handler();
  static RuleSet strict();
  static RuleSet zygote();

  /// Replaces whatever was said about this call. A call of other architectures is `done`: there
  /// is nothing to allow or refuse.
  Naming set(std::string_view name, Rule rule);
  void allow(std::span<const std::string_view> names);

  /// By number, ascending. A number that is missing gets `unknown`.
  [[nodiscard]] const std::map<int, Rule>& rules() const noexcept { return rules_; }

 private:
  void apply(std::span<const Group> groups);
  void apply(std::span<const ArgumentRule> argument_rules);

  std::map<int, Rule> rules_;
};

}  // namespace sock::seccomp
