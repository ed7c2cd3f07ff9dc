// Table: system calls whose arguments decide.

#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "isolation/seccomp/profile.hpp"

namespace sock::seccomp {
namespace {

using Test = Condition::Test;
using Conditions = Condition[];
using Cases = ArgumentCase[];

constexpr Verdict no_such_family{EAFNOSUPPORT};

// clone. CLONE_NEWTIME is not here: its bit lies in what clone() reads as the exit signal.
// CLONE_PARENT would give the library's own process a child that it never started, when the payload
// was started by exec into a container or shares the host's pid namespace; no runtime uses it.
constexpr std::uint32_t namespace_flags = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                          CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                          CLONE_NEWNET;
constexpr Conditions clones_outside = {{0, Test::has_any_bit, namespace_flags | CLONE_PARENT}};
constexpr Cases clone_cases = {{clones_outside, refused}};

// ioctl. TIOCSTI types into the terminal's input, TIOCLINUX pastes into a console
// (CVE-2017-5226, CVE-2023-28100); TIOCSETD loads line discipline modules.
constexpr Conditions injects_input = {{1, Test::equals, TIOCSTI}};
constexpr Conditions pastes_selection = {{1, Test::equals, TIOCLINUX}};
constexpr Conditions sets_line_discipline = {{1, Test::equals, TIOCSETD}};
constexpr Cases ioctl_cases = {
    {injects_input, refused},
    {pastes_selection, refused},
    {sets_line_discipline, refused},
};

// socket. An allow-list: AF_VSOCK is confined by no namespace and AF_ALG reaches kernel code that
// nothing here needs. EAFNOSUPPORT is the answer of a kernel without the family.
constexpr Conditions unix_family = {{0, Test::equals, AF_UNIX}};
constexpr Conditions inet_family = {{0, Test::equals, AF_INET}};
constexpr Conditions inet6_family = {{0, Test::equals, AF_INET6}};
constexpr Conditions route_netlink = {{0, Test::equals, AF_NETLINK},
                                      {2, Test::equals, NETLINK_ROUTE}};
constexpr Cases handler_socket_cases = {
    {unix_family, allowed},
    {inet_family, allowed},
    {inet6_family, allowed},
    {route_netlink, allowed},  // getifaddrs
};
constexpr Cases unix_only_cases = {{unix_family, allowed}};

// personality. Asking is free; 32-bit uname and a fixed address space (SBCL, ThreadSanitizer)
// concern the payload alone.
constexpr Conditions asks_personality = {{0, Test::equals, 0xffffffff}};
constexpr Conditions plain_personality = {{0, Test::equals, PER_LINUX}};
constexpr Conditions says_32_bit = {{0, Test::equals, PER_LINUX32}};
constexpr Conditions fixes_addresses = {{0, Test::equals, ADDR_NO_RANDOMIZE}};
constexpr Cases handler_personality_cases = {
    {asks_personality, allowed},
    {plain_personality, allowed},
    {says_32_bit, allowed},
    {fixes_addresses, allowed},
};
constexpr Cases strict_personality_cases = {{asks_personality, allowed}};

// prctl. PR_SET_MM_MAP needs no capability and rewrites what ps and the kernel's own reports say
// about the process.
constexpr Conditions rewrites_memory_map = {{0, Test::equals, PR_SET_MM}};
constexpr Cases prctl_cases = {{rewrites_memory_map, refused}};

// seccomp. A payload may stack filters of its own, but a listener could answer "continue" for
// system calls and hold tasks in the kernel at will.
constexpr Conditions makes_listener = {
    {0, Test::equals, SECCOMP_SET_MODE_FILTER},
    {1, Test::has_any_bit, SECCOMP_FILTER_FLAG_NEW_LISTENER},
};
constexpr Cases seccomp_cases = {{makes_listener, refused}};

constexpr ArgumentRule handler_rules[] = {
    {"ioctl", {.cases = ioctl_cases, .otherwise = allowed}},
    {"clone", {.cases = clone_cases, .otherwise = allowed}},
    {"socket", {.cases = handler_socket_cases, .otherwise = no_such_family}},
    {"socketpair", {.cases = unix_only_cases, .otherwise = no_such_family}},
    {"prctl", {.cases = prctl_cases, .otherwise = allowed}},
    {"seccomp", {.cases = seccomp_cases, .otherwise = allowed}},
    {"personality", {.cases = handler_personality_cases, .otherwise = refused}},
};

constexpr ArgumentRule strict_rules[] = {
    {"socket", {.cases = unix_only_cases, .otherwise = no_such_family}},
    {"personality", {.cases = strict_personality_cases, .otherwise = refused}},
};

}  // namespace

std::span<const ArgumentRule> handler_argument_rules() noexcept {
  return handler_rules;
}
std::span<const ArgumentRule> strict_argument_rules() noexcept {
  return strict_rules;
}

}  // namespace sock::seccomp
