// The profiles under the real kernel: refused calls give the documented error numbers.

#include <array>
#include <cerrno>
#include <vector>

#include <linux/netlink.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include "filtered_child.hpp"

namespace sock::test {
namespace {

struct Attempt {
  const char* what;
  long number;
  std::array<long, 5> arguments;
  int expected_errno;
};

/// Prints each attempt whose outcome differs; returns how many.
int count_surprises(const std::vector<Attempt>& attempts) {
  int surprises = 0;
  for (const Attempt& attempt : attempts) {
    const auto& [a, b, c, d, e] = attempt.arguments;
    const long result = ::syscall(attempt.number, a, b, c, d, e);
    const int got = result < 0 ? errno : 0;
    if (got == attempt.expected_errno) continue;
    ++surprises;
    ::dprintf(STDOUT_FILENO, "%s: errno %d, expected %d\n", attempt.what, got,
              attempt.expected_errno);
  }
  return surprises;
}

void expect_outcomes(const Result<SeccompPolicy>& policy, const std::vector<Attempt>& attempts) {
  ASSERT_TRUE(policy.has_value());
  const Ended ended = run_filtered(*policy, [&] { return count_surprises(attempts); });
  EXPECT_TRUE(ended.succeeded()) << "status " << ended.wait_status << ": " << ended.output;
}

constexpr long upper_half = 1L << 32;

TEST(HandlerProfileInTheKernel, RefusesWithTheDocumentedErrors) {
  expect_outcomes(
      SeccompPolicy::handler(),
      {{"mount", SYS_mount, {}, EPERM},
       {"ptrace(TRACEME)", SYS_ptrace, {}, EPERM},
       {"bpf", SYS_bpf, {}, EPERM},
       {"keyctl", SYS_keyctl, {}, EPERM},
       {"userfaultfd", SYS_userfaultfd, {}, EPERM},
       {"unshare(NEWUSER)", SYS_unshare, {CLONE_NEWUSER}, EPERM},
       {"setns", SYS_setns, {-1}, EPERM},
       {"clone(NEWUSER)", SYS_clone, {CLONE_NEWUSER | SIGCHLD}, EPERM},
       {"clone(PARENT)", SYS_clone, {CLONE_PARENT | SIGCHLD}, EPERM},
       {"clone3", SYS_clone3, {}, ENOSYS},
       {"io_uring_setup", SYS_io_uring_setup, {}, ENOSYS},
       {"statmount", 457, {}, ENOSYS},
       {"open_tree_attr", 467, {}, ENOSYS},
       {"number 500", 500, {}, ENOSYS},
       {"ioctl(TIOCSTI)", SYS_ioctl, {-1, TIOCSTI}, EPERM},
       {"ioctl(TIOCSTI | 1 << 32)", SYS_ioctl, {-1, TIOCSTI | upper_half}, EPERM},
       {"ioctl(TIOCLINUX)", SYS_ioctl, {-1, TIOCLINUX}, EPERM},
       {"ioctl(TCGETS)", SYS_ioctl, {-1, TCGETS}, EBADF},
       {"socket(AF_VSOCK)", SYS_socket, {AF_VSOCK, SOCK_STREAM}, EAFNOSUPPORT},
       {"socket(AF_VSOCK | 1 << 32)",
        SYS_socket,
        {AF_VSOCK | upper_half, SOCK_STREAM},
        EAFNOSUPPORT},
       {"socket(AF_ALG)", SYS_socket, {AF_ALG, SOCK_SEQPACKET}, EAFNOSUPPORT},
       {"socket(audit)", SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT}, EAFNOSUPPORT},
       {"socket(route)", SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_ROUTE}, 0},
       {"socket(AF_INET)", SYS_socket, {AF_INET, SOCK_DGRAM}, 0},
       {"personality(query)", SYS_personality, {0xffff'ffff}, 0},
       {"personality(READ_IMPLIES_EXEC)", SYS_personality, {READ_IMPLIES_EXEC}, EPERM},
       {"listener",
        SYS_seccomp,
        {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER},
        EPERM},
       {"filter of its own, bad pointer", SYS_seccomp, {SECCOMP_SET_MODE_FILTER}, EFAULT}});
}

TEST(StrictProfileInTheKernel, RefusesNetworkSystemVIpcAndPersonality) {
  expect_outcomes(SeccompPolicy::strict(),
                  {{"socket(AF_INET)", SYS_socket, {AF_INET, SOCK_STREAM}, EAFNOSUPPORT},
                   {"socket(AF_INET6)", SYS_socket, {AF_INET6, SOCK_STREAM}, EAFNOSUPPORT},
                   {"socket(route)", SYS_socket, {AF_NETLINK, SOCK_RAW}, EAFNOSUPPORT},
                   {"socket(AF_UNIX)", SYS_socket, {AF_UNIX, SOCK_STREAM}, 0},
                   {"shmget", SYS_shmget, {IPC_PRIVATE, 4096, 0600}, EPERM},
                   {"personality(0)", SYS_personality, {0}, EPERM}});
}

#if defined(__x86_64__)
int getpid_through_int80() {
  long result = 20;  // getpid of i386
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  return result > 0 ? 0 : 1;
}

TEST(HandlerProfileInTheKernel, KillsAProcessThatEntersThroughInt80) {
  const auto no_filter = SeccompPolicy::none(unsafe::AllowAllSyscalls{});
  if (!run_filtered(no_filter, getpid_through_int80).succeeded())
    GTEST_SKIP() << "this machine has no 32-bit entry";
  const Ended ended = run_filtered(SeccompPolicy::handler().value(), getpid_through_int80);
  EXPECT_TRUE(WIFSIGNALED(ended.wait_status) && WTERMSIG(ended.wait_status) == SIGSYS)
      << ended.wait_status;
}
#endif

TEST(HandlerProfileInTheKernel, HoldsForProgramsThatThePayloadStarts) {
  const Ended ended = run_program(SeccompPolicy::handler().value(),
                                  {"grep", "-E", "^(Seccomp|NoNewPrivs):", "/proc/self/status"});
  EXPECT_EQ(ended.output, "NoNewPrivs:\t1\nSeccomp:\t2\n");
}

}  // namespace
}  // namespace sock::test
