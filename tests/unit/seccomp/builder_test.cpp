// The builder: order of rules, tokens, and mistakes.

#include <cerrno>
#include <string>

#include <sched.h>
#include <sys/socket.h>

#include "bpf_evaluator.hpp"
#include "profile_reader.hpp"

namespace sock::test {
namespace {

using Builder = SeccompPolicy::Builder;

std::uint32_t verdict(const Builder& builder, std::string_view name,
                      const Arguments& arguments = {}) {
  return BpfEvaluator{instructions_of(builder.compile())}.run(call_of(number_of(name), arguments));
}

TEST(SeccompBuilder, LetsTheLastRuleThatNamesACallDecide) {
  Builder builder{Base::handler};
  builder.deny({"ptrace", "socket", "read"}, EACCES).allow(unsafe::AllowPtrace{});
  EXPECT_EQ(verdict(builder, "ptrace"), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(builder, "socket", {AF_UNIX}), refused_with(EACCES));
  EXPECT_EQ(verdict(builder, "read"), refused_with(EACCES));
  builder.deny("ptrace", ESRCH).allow(unsafe::AllowSyscall{"read"});
  EXPECT_EQ(verdict(builder, "ptrace"), refused_with(ESRCH));
  EXPECT_EQ(verdict(builder, "read"), SECCOMP_RET_ALLOW);
}

TEST(SeccompBuilder, AllowsASingleCallWithoutArgumentConditions) {
  Builder builder{Base::strict};
  builder.allow(unsafe::AllowSyscall{"socket"});
  EXPECT_EQ(verdict(builder, "socket", {40}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(builder, "socketpair", {40}), refused_with(EAFNOSUPPORT));
}

TEST(SeccompBuilder, LiftsExactlyWhatEachTokenNames) {
  Builder ptrace{Base::handler};
  ptrace.allow(unsafe::AllowPtrace{});
  EXPECT_EQ(verdict(ptrace, "process_vm_readv"), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(ptrace, "mount"), refused_with(EPERM));

  Builder nested{Base::handler};
  nested.allow(unsafe::AllowNestedUserNamespaces{});
  EXPECT_EQ(verdict(nested, "clone", {CLONE_NEWUSER}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(nested, "unshare"), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(nested, "clone3"), refused_with(ENOSYS));
  EXPECT_EQ(verdict(nested, "mount"), refused_with(EPERM));

  Builder mount{Base::strict};
  mount.allow(unsafe::AllowMount{});
  for (const auto* name : {"mount", "umount2", "pivot_root", "fsmount", "statmount"})
    EXPECT_EQ(verdict(mount, name), SECCOMP_RET_ALLOW) << name;
  EXPECT_EQ(verdict(mount, "unshare"), refused_with(EPERM));

  Builder ring{Base::handler};
  ring.allow(unsafe::AllowIoUring{});
  for (const auto* name : {"io_uring_setup", "io_uring_enter", "io_uring_register"})
    EXPECT_EQ(verdict(ring, name), SECCOMP_RET_ALLOW) << name;
}

TEST(SeccompBuilder, KeepsCallsNewerThanLibseccompByNumber) {
  Builder builder{Base::handler};
  EXPECT_EQ(verdict(builder, "mseal"), SECCOMP_RET_ALLOW);
  builder.deny("mseal", EPERM).allow(unsafe::AllowSyscall{"statmount"});
  EXPECT_EQ(verdict(builder, "mseal"), refused_with(EPERM));
  EXPECT_EQ(verdict(builder, "statmount"), SECCOMP_RET_ALLOW);
}

TEST(SeccompBuilder, IgnoresCallsOfOtherArchitectures) {
  Builder builder{Base::handler};
  builder.deny("socketcall", EPERM).allow(unsafe::AllowSyscall{"arm_fadvise64_64"});
  EXPECT_TRUE(builder.compile().has_value());
}

TEST(SeccompBuilder, CanRefuseWithEnosysWhichIsAlsoTheDefault) {
  Builder builder{Base::handler};
  builder.deny("getpid", ENOSYS).deny("getppid", 4095);
  EXPECT_EQ(verdict(builder, "getpid"), refused_with(ENOSYS));
  EXPECT_EQ(verdict(builder, "getppid"), refused_with(4095));
}

TEST(SeccompBuilder, ReportsTheFirstMistakeOnceAndSuggestsAName) {
  Builder builder{Base::handler};
  builder.deny("opennat", EPERM).deny("alsowrong", EPERM).deny("read", 5000);
  const auto policy = builder.compile();
  ASSERT_FALSE(policy.has_value());
  EXPECT_EQ(policy.error().code, Errc::invalid_spec);
  EXPECT_EQ(policy.error().stage, Stage::seccomp);
  EXPECT_EQ(policy.error().subject, "opennat");
  EXPECT_EQ(policy.error().hint, "did you mean openat?");
}

TEST(SeccompBuilder, RefusesNamesThatResembleNothing) {
  for (const auto* name : {"", "x", "make me a sandwich"}) {
    Builder builder{Base::handler};
    const auto policy = builder.allow(unsafe::AllowSyscall{name}).compile();
    ASSERT_FALSE(policy.has_value()) << name;
    EXPECT_EQ(policy.error().subject, name);
    EXPECT_EQ(policy.error().hint, "no system call has this name");
  }
}

TEST(SeccompBuilder, RefusesErrorNumbersThatTheKernelWouldCut) {
  for (const int sys_errno : {-1, 0, 4096, 65537}) {
    Builder builder{Base::handler};
    const auto policy = builder.deny("read", sys_errno).compile();
    ASSERT_FALSE(policy.has_value()) << sys_errno;
    EXPECT_EQ(policy.error().subject, "read");
  }
}

TEST(SeccompPolicyValue, IsSharedByCopiesAndNullForNone) {
  const auto policy = SeccompPolicy::handler();
  ASSERT_TRUE(policy.has_value());
  const SeccompPolicy copy = *policy;
  EXPECT_EQ(copy, *policy);
  EXPECT_EQ(copy.program(), policy->program());
  EXPECT_NE(copy, *SeccompPolicy::handler());
  EXPECT_EQ(SeccompPolicy::none(unsafe::AllowAllSyscalls{}).program(), nullptr);
}

}  // namespace
}  // namespace sock::test
