// Table: what a zygote may do beyond a handler. It runs as root of a user namespace, so each of
// these holds inside that alone. It needs no mount call: the Host makes roots, /proc included.

#include <sched.h>

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
constexpr ArgumentRule rules[] = {
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
