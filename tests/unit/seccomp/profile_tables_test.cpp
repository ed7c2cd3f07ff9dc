// The tables themselves: well formed, and holding the refusals that the documentation promises.

#include <cerrno>
#include <set>

#include "profile_reader.hpp"

namespace sock::test {
namespace {

TEST(ProfileTables, NameOnlySystemCallsThatExistSomewhereAndNoneTwice) {
  std::set<std::string_view> seen;
  const auto check = [&](std::string_view name) {
    EXPECT_NE(seccomp::find_number(name).known, seccomp::Number::Known::nowhere) << name;
    EXPECT_TRUE(seen.insert(name).second) << name << " is named twice";
  };
  for (const auto groups : {seccomp::allowed_groups(), seccomp::refused_groups()})
    for (const auto& group : groups)
      for (const auto name : group.names) check(name);
  for (const auto& rule : seccomp::handler_argument_rules()) check(rule.name);
}

TEST(ProfileTables, RefuseWhatContainersNeverNeed) {
  const ProfileReader handler{Base::handler};
  for (const auto* name : {"mount",
                           "umount2",
                           "pivot_root",
                           "chroot",
                           "move_mount",
                           "open_tree",
                           "fsopen",
                           "mount_setattr",
                           "ptrace",
                           "process_vm_readv",
                           "process_vm_writev",
                           "pidfd_getfd",
                           "kcmp",
                           "bpf",
                           "keyctl",
                           "add_key",
                           "request_key",
                           "userfaultfd",
                           "perf_event_open",
                           "kexec_load",
                           "init_module",
                           "finit_module",
                           "delete_module",
                           "reboot",
                           "swapon",
                           "acct",
                           "setns",
                           "unshare",
                           "open_by_handle_at",
                           "clock_settime",
                           "settimeofday",
                           "syslog",
                           "fanotify_init"})
    EXPECT_EQ(handler.expected(number_of(name), {}), refused_with(EPERM)) << name;
  for (const auto* name : {"clone3", "io_uring_setup", "io_uring_enter", "io_uring_register",
                           "statmount", "listmount", "lsm_set_self_attr"})
    EXPECT_EQ(handler.expected(number_of(name), {}), refused_with(ENOSYS)) << name;
}

}  // namespace
}  // namespace sock::test
