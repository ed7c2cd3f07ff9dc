// Table: what a zygote may do beyond a handler. It runs as root of a user namespace, so each of
// these holds inside that alone. It needs no mount call: the Host makes roots, /proc included.

#include <sched.h>
#include <sys/prctl.h>

#include "isolation/seccomp/profile.hpp"

namespace sock::seccomp {
namespace {

// By flags that are not here: user namespaces (more kernel surface behind each) and mount
// namespaces (the Host's empty one stays).
constexpr std::uint32_t not_for_zygotes = CLONE_NEWUSER | CLONE_NEWNS | CLONE_FILES | CLONE_FS |
                                          CLONE_SYSVSEM | CLONE_THREAD | CLONE_VM | CLONE_SIGHAND |
                                          0x80;  // CLONE_NEWTIME
constexpr Condition unshares_more[] = {{0, Condition::Test::has_any_bit, not_for_zygotes}};
constexpr ArgumentCase unshare_cases[] = {{unshares_more, refused}};
// A zygote from a snapshot tells the kernel where its heap and its arguments are (PR_SET_MM_MAP),
// which no capability outside its user namespace is needed for. Its containers may not.
constexpr Condition writes_map[] = {{0, Condition::Test::equals, PR_SET_MM},
                                    {1, Condition::Test::equals, PR_SET_MM_MAP}};
constexpr Condition writes_part_of_map[] = {{0, Condition::Test::equals, PR_SET_MM}};
constexpr ArgumentCase prctl_cases[] = {{writes_map, allowed}, {writes_part_of_map, refused}};
constexpr ArgumentRule rules[] = {
    {"prctl", {.cases = prctl_cases, .otherwise = allowed}},
    {"unshare", {.cases = unshare_cases, .otherwise = allowed}},
};

constexpr std::string_view entering[] = {"chroot", "sethostname"};
constexpr Group groups[] = {{"entering a root", allowed, entering}};

}  // namespace

std::span<const Group> zygote_groups() noexcept {
  return groups;
}
std::span<const ArgumentRule> zygote_argument_rules() noexcept {
  return rules;
}

}  // namespace sock::seccomp
