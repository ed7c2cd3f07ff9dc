// The compiled policies say what the tables say, for every number and every argument that matters.

#include <cerrno>
#include <set>
#include <vector>

#include <linux/netlink.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "bpf_evaluator.hpp"
#include "profile_reader.hpp"

namespace sock::test {
namespace {

constexpr std::uint64_t garbage = 0xdead'beef'0000'0000;
constexpr int numbers = 512;

std::vector<std::uint64_t> interesting_values(const ProfileReader& profile) {
  std::set<std::uint64_t> values = {0, 1, 0x7fff'ffff, 0xffff'ffff, ~std::uint64_t{0}};
  for (const auto& [number, rule] : profile.rules())
    for (const auto& one : rule.cases)
      for (const auto& condition : one.conditions)
        for (std::uint64_t near : {condition.operand, condition.operand ^ 1U, ~condition.operand})
          values.insert({near, near | garbage});
  for (int bit = 0; bit < 32; ++bit) values.insert(std::uint64_t{1} << bit);
  return {values.begin(), values.end()};
}

struct Disagreements {
  int count = 0;
  void compare(BpfEvaluator& filter, const ProfileReader& profile, int number,
               const Arguments& arguments) {
    if (filter.run(call_of(number, arguments)) == profile.expected(number, arguments)) return;
    if (++count <= 10)
      ADD_FAILURE() << "call " << number << " with " << arguments[0] << ", " << arguments[1] << ", "
                    << arguments[2];
  }
};

class Profiles : public testing::TestWithParam<Base> {
 protected:
  ProfileReader profile{GetParam()};
  BpfEvaluator filter{instructions_of(SeccompPolicy::Builder{GetParam()}.compile())};
};

INSTANTIATE_TEST_SUITE_P(Seccomp, Profiles,
                         testing::Values(Base::handler, Base::strict, Base::zygote),
                         [](const auto& base) {
                           if (base.param == Base::zygote) return "zygote";
                           return base.param == Base::handler ? "handler" : "strict";
                         });

TEST(ZygoteProfile, LetsAZygoteUnshareWhatAContainerNeedsAndNothingElse) {
  BpfEvaluator filter{instructions_of(SeccompPolicy::zygote())};
  const int unshare = number_of("unshare");
  for (const std::uint64_t flags : {CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS, CLONE_NEWCGROUP,
                                    CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET})
    EXPECT_EQ(filter.run(call_of(unshare, {flags})), SECCOMP_RET_ALLOW) << flags;
  for (const std::uint64_t flag : {CLONE_NEWUSER, CLONE_NEWNS, CLONE_FILES, CLONE_FS, 0x80}) {
    EXPECT_EQ(filter.run(call_of(unshare, {flag})), refused_with(EPERM)) << flag;
    EXPECT_EQ(filter.run(call_of(unshare, {flag | CLONE_NEWPID})), refused_with(EPERM)) << flag;
    EXPECT_EQ(filter.run(call_of(unshare, {flag | garbage})), refused_with(EPERM)) << flag;
  }
  for (const char* name : {"mount", "umount2", "pivot_root", "setns", "open_tree", "move_mount"})
    EXPECT_EQ(filter.run(call_of(number_of(name))), refused_with(EPERM)) << name;
}

TEST_P(Profiles, AnswerEveryNumberAndEveryInterestingArgumentAsTheTablesSay) {
  const auto values = interesting_values(profile);
  Disagreements disagreements;
  for (int number = 0; number < numbers; ++number) {
    const auto rule = profile.rules().find(number);
    const bool has_cases = rule != profile.rules().end() && !rule->second.cases.empty();
    for (const auto a : values) {
      disagreements.compare(filter, profile, number, {a, a, a, a, a, a});
      if (!has_cases) continue;
      for (const auto b : values)
        for (const auto c : {std::uint64_t{0}, std::uint64_t{1}, garbage, ~std::uint64_t{0}})
          disagreements.compare(filter, profile, number, {a, b, c, 0, 0, 0});
    }
  }
  EXPECT_EQ(disagreements.count, 0);
}

TEST_P(Profiles, HaveNoInstructionThatNoCallReaches) {
  const auto values = interesting_values(profile);
  for (int number = 0; number < numbers; ++number)
    for (const auto a : values)
      for (const auto b : {a, std::uint64_t{0}, ~std::uint64_t{0}})
        filter.run(call_of(number, {a, b, 0, 0, 0, 0}));
  filter.run(call_of(-1));
  filter.run(call_of(0x4000'0000));
  seccomp_data foreign = call_of(0);
  foreign.arch = AUDIT_ARCH_I386;
  filter.run(foreign);
  EXPECT_EQ(filter.never_executed(), std::vector<std::size_t>{});
}

// Every instruction costs time at each container's start; 127 when this was written.
TEST_P(Profiles, StayShort) {
  EXPECT_LE(filter.size(), 150U);
}

TEST_P(Profiles, KillAProcessThatEntersThroughAnotherArchitecture) {
  for (const auto architecture :
       std::initializer_list<std::uint32_t>{AUDIT_ARCH_I386, AUDIT_ARCH_ARM, AUDIT_ARCH_PPC64})
    for (int number = 0; number < numbers; ++number) {
      seccomp_data data = call_of(number, {AF_UNIX, 0, 0, 0, 0, 0});
      data.arch = architecture;
      ASSERT_EQ(filter.run(data), SECCOMP_RET_KILL_PROCESS) << number;
    }
}

#if defined(__x86_64__)
TEST_P(Profiles, KillAProcessThatUsesX32Numbers) {
  for (int number = 0; number < numbers; ++number)
    ASSERT_EQ(filter.run(call_of(number | 0x4000'0000, {AF_UNIX, 0, 0, 0, 0, 0})),
              SECCOMP_RET_KILL_PROCESS)
        << number;
}
#endif

TEST_P(Profiles, AnswerUnknownNumbersWithEnosys) {
  for (const int number : {-1, 470, 511, 512, 1000, 65536, 0x3fff'ffff})
    EXPECT_EQ(filter.run(call_of(number)), refused_with(ENOSYS)) << number;
}

TEST_P(Profiles, RefuseEachNamespaceFlagOfCloneAndCloneParent) {
  const int clone = number_of("clone");
  for (const std::uint64_t flag : {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                   CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_PARENT}) {
    EXPECT_EQ(filter.run(call_of(clone, {flag | SIGCHLD})), refused_with(EPERM)) << flag;
    EXPECT_EQ(filter.run(call_of(clone, {flag | garbage})), refused_with(EPERM)) << flag;
  }
  constexpr std::uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
                                   CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
                                   CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  constexpr std::uint64_t spawn = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  EXPECT_EQ(filter.run(call_of(clone, {thread})), SECCOMP_RET_ALLOW);
  EXPECT_EQ(filter.run(call_of(clone, {spawn})), SECCOMP_RET_ALLOW);
  EXPECT_EQ(filter.run(call_of(number_of("clone3"))), refused_with(ENOSYS));
}

TEST_P(Profiles, RefuseTerminalInjectionWhateverTheUpperHalfOfTheCommandHolds) {
  const int ioctl = number_of("ioctl");
  for (const std::uint64_t command : {TIOCSTI, TIOCLINUX, TIOCSETD})
    for (const std::uint64_t upper :
         {std::uint64_t{0}, std::uint64_t{1} << 32, garbage, std::uint64_t{0xffff'ffff} << 32})
      EXPECT_EQ(filter.run(call_of(ioctl, {0, command | upper})), refused_with(EPERM)) << command;
  for (const std::uint64_t command : {TCGETS, TIOCGWINSZ, TIOCSCTTY, FIONREAD})
    EXPECT_EQ(filter.run(call_of(ioctl, {0, command})), SECCOMP_RET_ALLOW) << command;
}

TEST_P(Profiles, OfferOnlyTheirSocketFamilies) {
  const int socket = number_of("socket");
  const std::uint32_t network =
      GetParam() == Base::strict ? refused_with(EAFNOSUPPORT) : std::uint32_t{SECCOMP_RET_ALLOW};
  for (const std::uint64_t upper : {std::uint64_t{0}, garbage}) {
    for (std::uint64_t family = 0; family < 64; ++family) {
      const bool internet = family == AF_INET || family == AF_INET6 || family == AF_NETLINK;
      const std::uint32_t expected = family == AF_UNIX ? std::uint32_t{SECCOMP_RET_ALLOW}
                                     : internet        ? network
                                                       : refused_with(EAFNOSUPPORT);
      EXPECT_EQ(filter.run(call_of(socket, {family | upper, SOCK_STREAM, upper})), expected)
          << family;
      EXPECT_EQ(filter.run(call_of(number_of("socketpair"), {family | upper, SOCK_STREAM})),
                family == AF_UNIX ? std::uint32_t{SECCOMP_RET_ALLOW} : refused_with(EAFNOSUPPORT));
    }
    for (std::uint64_t protocol = 1; protocol < 40; ++protocol)
      EXPECT_EQ(filter.run(call_of(socket, {AF_NETLINK, SOCK_RAW, protocol | upper})),
                refused_with(EAFNOSUPPORT));
  }
}

TEST_P(Profiles, RefuseAListenerButNotAPayloadsOwnFilter) {
  const int seccomp = number_of("seccomp");
  EXPECT_EQ(filter.run(call_of(
                seccomp, {SECCOMP_SET_MODE_FILTER,
                          SECCOMP_FILTER_FLAG_NEW_LISTENER | garbage | SECCOMP_FILTER_FLAG_TSYNC})),
            refused_with(EPERM));
  EXPECT_EQ(filter.run(call_of(seccomp, {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC})),
            SECCOMP_RET_ALLOW);
}

TEST(StrictProfile, HasNoSystemVIpcAndNoPersonalityChanges) {
  BpfEvaluator filter{instructions_of(SeccompPolicy::strict())};
  for (const auto* name : {"shmget", "shmat", "semget", "semop", "msgget", "msgsnd"})
    EXPECT_EQ(filter.run(call_of(number_of(name))), refused_with(EPERM)) << name;
  EXPECT_EQ(filter.run(call_of(number_of("personality"), {0xffff'ffff})), SECCOMP_RET_ALLOW);
  EXPECT_EQ(filter.run(call_of(number_of("personality"), {0})), refused_with(EPERM));
}

}  // namespace
}  // namespace sock::test
