// sock_seccomp_* of the C interface: a builder, and the policy that it compiles.

#include <string_view>
#include <utility>

#include "base/try.hpp"
#include "c_api/handles.hpp"

using sock::Result;
using sock::c_api::at_border;
using sock::c_api::refuse_argument;
using sock::c_api::require;

namespace {

using Builder = sock::SeccompPolicy::Builder;

Result<Builder::Base> to_base(const char* name) {
  const std::string_view base = name == nullptr ? SOCK_SECCOMP_HANDLER : name;
  if (base == SOCK_SECCOMP_HANDLER) return Builder::Base::handler;
  if (base == SOCK_SECCOMP_STRICT) return Builder::Base::strict;
  return refuse_argument("seccomp profile \"" + std::string{base} + "\"",
                         "begin with SOCK_SECCOMP_HANDLER or SOCK_SECCOMP_STRICT");
}

Result<> allow(Builder& builder, std::uint32_t what) {
  switch (what) {
    case SOCK_UNSAFE_PTRACE:
      builder.allow(sock::unsafe::AllowPtrace{});
      return {};
    case SOCK_UNSAFE_NESTED_USER_NAMESPACES:
      builder.allow(sock::unsafe::AllowNestedUserNamespaces{});
      return {};
    case SOCK_UNSAFE_MOUNT:
      builder.allow(sock::unsafe::AllowMount{});
      return {};
    case SOCK_UNSAFE_IO_URING:
      builder.allow(sock::unsafe::AllowIoUring{});
      return {};
    default:
      return refuse_argument("what", "use one of SOCK_UNSAFE_PTRACE to SOCK_UNSAFE_IO_URING");
  }
}

}  // namespace

int sock_seccomp_builder_new(const char* base, sock_seccomp_builder** ret_builder,
                             sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(ret_builder, "ret_builder"));
    const auto known = SOCK_TRY(to_base(base));
    *ret_builder = new sock_seccomp_builder{.builder = Builder{known}};
    return {};
  });
}

int sock_seccomp_builder_deny(sock_seccomp_builder* builder, const char* syscall, int error_number,
                              sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(builder, "builder"));
    SOCK_TRY(require(syscall, "syscall"));
    builder->builder.deny(syscall, error_number);
    return {};
  });
}

int sock_seccomp_builder_unsafe_allow(sock_seccomp_builder* builder, uint32_t what,
                                      sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(builder, "builder"));
    return allow(builder->builder, what);
  });
}

int sock_seccomp_builder_unsafe_allow_syscall(sock_seccomp_builder* builder, const char* syscall,
                                              sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(builder, "builder"));
    SOCK_TRY(require(syscall, "syscall"));
    builder->builder.allow(sock::unsafe::AllowSyscall{syscall});
    return {};
  });
}

int sock_seccomp_builder_compile(const sock_seccomp_builder* builder,
                                 sock_seccomp_policy** ret_policy, sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(builder, "builder"));
    SOCK_TRY(require(ret_policy, "ret_policy"));
    auto policy = SOCK_TRY(builder->builder.compile());
    *ret_policy = new sock_seccomp_policy{.policy = std::move(policy)};
    return {};
  });
}

void sock_seccomp_builder_free(sock_seccomp_builder* builder) {
  delete builder;
}

void sock_seccomp_policy_free(sock_seccomp_policy* policy) {
  delete policy;
}
