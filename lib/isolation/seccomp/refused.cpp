// Table: what containers never need. EPERM where the call exists and is forbidden; ENOSYS where a
// caller is known to fall back to something older that is allowed.

#include "isolation/seccomp/profile.hpp"

namespace sock::seccomp {
namespace {

using Names = std::string_view[];

constexpr Names mounting = {
    "mount",      "umount", "umount2",  "pivot_root", "chroot", "open_tree",
    "move_mount", "fsopen", "fsconfig", "fsmount",    "fspick", "mount_setattr",
};
// Newer than the rest of their family: without them callers read /proc/self/mountinfo, or use the
// calls above and hear EPERM there.
constexpr Names new_mounting = {"statmount", "listmount", "open_tree_attr"};
// The kernel guards all five with the check for ptrace.
constexpr Names other_processes = {
    "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp",
};
constexpr Names other_processes_memory = {"migrate_pages", "move_pages"};
constexpr Names namespaces = {"setns", "unshare"};
// Its flags are in memory, where no filter can read them. glibc, musl and Go then use clone.
constexpr Names clone_in_memory = {"clone3"};
// Operations in a ring pass no filter. ENOSYS is what kernels without it answer, and what every
// user (libuv, liburing's probes, Rust runtimes) takes as "use epoll"; EPERM reads like a fault
// in the machine's configuration.
constexpr Names io_uring = {"io_uring_setup", "io_uring_enter", "io_uring_register"};
constexpr Names kernel_code = {
    "bpf",          "perf_event_open", "userfaultfd", "init_module",
    "finit_module", "delete_module",   "kexec_load",  "kexec_file_load",
};
constexpr Names keyrings = {"add_key", "request_key", "keyctl"};
// A handle finds files past mounts and chroot (the "shocker" escape).
constexpr Names file_handles = {"name_to_handle_at", "open_by_handle_at"};
constexpr Names watching_filesystems = {"fanotify_init", "fanotify_mark", "lookup_dcookie"};
constexpr Names clocks = {
    "settimeofday", "stime", "adjtimex", "clock_settime", "clock_adjtime",
};
constexpr Names administration = {
    "reboot", "swapon",      "swapoff",       "acct",    "quotactl",   "quotactl_fd",
    "syslog", "sethostname", "setdomainname", "vhangup", "nfsservctl",
};
constexpr Names hardware = {"iopl", "ioperm", "modify_ldt"};

constexpr Group groups[] = {
    {"mounting", refused, mounting},
    {"mounting, newer calls", absent, new_mounting},
    {"other processes", refused, other_processes},
    {"other processes' memory", refused, other_processes_memory},
    {"namespaces", refused, namespaces},
    {"clone with flags in memory", absent, clone_in_memory},
    {"io_uring", absent, io_uring},
    {"code in the kernel", refused, kernel_code},
    {"keyrings", refused, keyrings},
    {"file handles", refused, file_handles},
    {"watching file systems", refused, watching_filesystems},
    {"setting clocks", refused, clocks},
    {"administration", refused, administration},
    {"hardware", refused, hardware},
};

constexpr Names mount_token = {
    "mount",     "umount",        "umount2",    "pivot_root", "chroot",
    "open_tree", "fsopen",        "move_mount", "fsconfig",   "fsmount",
    "fspick",    "mount_setattr", "statmount",  "listmount",  "open_tree_attr",
};
// clone loses its argument rule with this; clone3 stays absent, nobody needs it. chroot is how
// sandboxes that start in a user namespace leave the file system.
constexpr Names nested_namespace_token = {"clone", "unshare", "setns", "chroot"};

}  // namespace

std::span<const Group> refused_groups() noexcept {
  return groups;
}
std::span<const std::string_view> ptrace_calls() noexcept {
  return other_processes;
}
std::span<const std::string_view> nested_namespace_calls() noexcept {
  return nested_namespace_token;
}
std::span<const std::string_view> mount_calls() noexcept {
  return mount_token;
}
std::span<const std::string_view> io_uring_calls() noexcept {
  return io_uring;
}

}  // namespace sock::seccomp
