// SeccompPolicy::Builder: edits a rule set and remembers the first mistake for compile().

#include <optional>
#include <string>
#include <utility>

#include "base/try.hpp"
#include "isolation/seccomp/compiler.hpp"
#include "isolation/seccomp/numbers.hpp"
#include "isolation/seccomp/program.hpp"
#include "isolation/seccomp/rule_set.hpp"

namespace sock {
namespace {

constexpr int highest_errno = 4095;  // KERNEL: MAX_ERRNO; seccomp cuts higher ones down to it

Error mistake(std::string_view name, std::string hint) {
  return {.code = Errc::invalid_spec,
          .stage = Stage::seccomp,
          .subject = std::string{name},
          .hint = std::move(hint)};
}

Error unknown_name(std::string_view name) {
  const std::string similar = seccomp::find_similar_name(name);
  return mistake(
      name, similar.empty() ? "no system call has this name" : "did you mean " + similar + "?");
}

}  // namespace

struct SeccompPolicy::Builder::State {
  seccomp::RuleSet rules;
  std::optional<Error> first_mistake = {};

  void set(std::string_view name, seccomp::Verdict verdict) {
    if (first_mistake) return;
    const auto naming = rules.set(name, {.otherwise = verdict});
    if (naming == seccomp::RuleSet::Naming::unknown_name) first_mistake = unknown_name(name);
  }
};

namespace {
seccomp::RuleSet rules_of(SeccompPolicy::Builder::Base base) {
  using Base = SeccompPolicy::Builder::Base;
  switch (base) {
    case Base::handler:
      return seccomp::RuleSet::handler();
    case Base::strict:
      return seccomp::RuleSet::strict();
    case Base::zygote:
      return seccomp::RuleSet::zygote();
  }
  return seccomp::RuleSet::strict();
}
}  // namespace

SeccompPolicy::Builder::Builder(Base base) : state_{new State{rules_of(base)}} {}
SeccompPolicy::Builder::Builder(Builder&&) noexcept = default;
SeccompPolicy::Builder& SeccompPolicy::Builder::operator=(Builder&&) noexcept = default;
SeccompPolicy::Builder::~Builder() = default;

SeccompPolicy::Builder& SeccompPolicy::Builder::deny(
    std::initializer_list<std::string_view> syscalls, int sys_errno) {
  for (const std::string_view name : syscalls) deny(name, sys_errno);
  return *this;
}

SeccompPolicy::Builder& SeccompPolicy::Builder::deny(std::string_view syscall, int sys_errno) {
  if (sys_errno >= 1 && sys_errno <= highest_errno)
    state_->set(syscall, {sys_errno});
  else if (!state_->first_mistake)
    state_->first_mistake = mistake(
        syscall, "refuse with an error number from 1 to 4095, not " + std::to_string(sys_errno));
  return *this;
}

SeccompPolicy::Builder& SeccompPolicy::Builder::allow(const unsafe::AllowSyscall& token) {
  state_->set(token.name, seccomp::allowed);
  return *this;
}

SeccompPolicy::Builder& SeccompPolicy::Builder::allow(unsafe::AllowPtrace) {
  state_->rules.allow(seccomp::ptrace_calls());
  return *this;
}

SeccompPolicy::Builder& SeccompPolicy::Builder::allow(unsafe::AllowNestedUserNamespaces) {
  state_->rules.allow(seccomp::nested_namespace_calls());
  return *this;
}

SeccompPolicy::Builder& SeccompPolicy::Builder::allow(unsafe::AllowMount) {
  state_->rules.allow(seccomp::mount_calls());
  return *this;
}

SeccompPolicy::Builder& SeccompPolicy::Builder::allow(unsafe::AllowIoUring) {
  state_->rules.allow(seccomp::io_uring_calls());
  return *this;
}

Result<SeccompPolicy> SeccompPolicy::Builder::compile() const {
  if (state_->first_mistake) return std::unexpected(*state_->first_mistake);
  auto instructions =
      SOCK_TRY(base::in_stage(Stage::seccomp, seccomp::compile(state_->rules.rules())));
  return Program::policy_of(std::move(instructions));
}

}  // namespace sock
