// Table: what ordinary programs and language runtimes call. Calls whose danger lies in a capability
// (mknod of a device, setuid, mlock beyond the limit) are here, because the kernel checks that
// capability itself and the payload has none.

#include "isolation/seccomp/profile.hpp"

namespace sock::seccomp {
namespace {

using Names = std::string_view[];

constexpr Names file_contents = {
    "read",      "write",     "pread64",   "pwrite64",        "readv",
    "writev",    "preadv",    "pwritev",   "preadv2",         "pwritev2",
    "lseek",     "_llseek",   "close",     "close_range",     "dup",
    "dup2",      "dup3",      "fcntl",     "flock",           "fsync",
    "fdatasync", "sync",      "syncfs",    "sync_file_range", "truncate",
    "ftruncate", "fallocate", "fadvise64", "readahead",       "sendfile",
    "splice",    "tee",       "vmsplice",  "copy_file_range", "cachestat",
};
constexpr Names file_names = {
    "open",     "openat",     "openat2",   "creat",      "access",     "faccessat", "faccessat2",
    "stat",     "lstat",      "fstat",     "newfstatat", "statx",      "statfs",    "fstatfs",
    "getdents", "getdents64", "getcwd",    "chdir",      "fchdir",     "mkdir",     "mkdirat",
    "rmdir",    "rename",     "renameat",  "renameat2",  "link",       "linkat",    "unlink",
    "unlinkat", "symlink",    "symlinkat", "readlink",   "readlinkat", "mknod",     "mknodat",
};
constexpr Names file_attributes = {
    "chmod",        "fchmod",      "fchmodat",     "fchmodat2",    "chown",         "fchown",
    "lchown",       "fchownat",    "umask",        "utime",        "utimes",        "futimesat",
    "utimensat",    "getxattr",    "lgetxattr",    "fgetxattr",    "getxattrat",    "setxattr",
    "lsetxattr",    "fsetxattr",   "setxattrat",   "listxattr",    "llistxattr",    "flistxattr",
    "listxattrat",  "removexattr", "lremovexattr", "fremovexattr", "removexattrat", "file_getattr",
    "file_setattr",
};
constexpr Names waiting_for_files = {
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "eventfd",
    "eventfd2",
    "inotify_init",
    "inotify_init1",
    "inotify_add_watch",
    "inotify_rm_watch",
    "pipe",
    "pipe2",
    "io_setup",
    "io_destroy",
    "io_submit",
    "io_cancel",
    "io_getevents",
    "io_pgetevents",
};
constexpr Names memory = {
    "brk",
    "mmap",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "mincore",
    "msync",
    "mlock",
    "mlock2",
    "munlock",
    "mlockall",
    "munlockall",
    "remap_file_pages",
    "memfd_create",
    "memfd_secret",
    "mseal",
    "map_shadow_stack",
    "pkey_alloc",
    "pkey_free",
    "pkey_mprotect",
    "membarrier",
    "process_madvise",
    "process_mrelease",
};
// The policies of the caller's own memory (OpenBLAS, libnuma). Those that act on other processes
// are refused.
constexpr Names memory_placement = {
    "mbind", "get_mempolicy", "set_mempolicy", "set_mempolicy_home_node", "getcpu",
};
constexpr Names processes = {
    "fork",    "vfork",   "execve", "execveat", "exit",       "exit_group",
    "wait4",   "waitid",  "getpid", "getppid",  "gettid",     "getpgid",
    "getpgrp", "setpgid", "getsid", "setsid",   "pidfd_open", "pidfd_send_signal",
};
constexpr Names threads = {
    "set_tid_address", "set_robust_list", "get_robust_list", "futex", "futex_waitv",
    "futex_wake",      "futex_wait",      "futex_requeue",   "rseq",  "arch_prctl",
    "set_thread_area", "get_thread_area", "sched_yield",
};
constexpr Names signals = {
    "kill",
    "tkill",
    "tgkill",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigpending",
    "rt_sigreturn",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "sigaltstack",
    "signalfd",
    "signalfd4",
    "pause",
    "restart_syscall",
};
constexpr Names identity = {
    "getuid",    "geteuid",  "getgid",   "getegid",   "getresuid", "getresgid",
    "getgroups", "setuid",   "setgid",   "setreuid",  "setregid",  "setresuid",
    "setresgid", "setfsuid", "setfsgid", "setgroups", "capget",    "capset",
};
constexpr Names limits_and_scheduling = {
    "getrlimit",
    "setrlimit",
    "prlimit64",
    "getrusage",
    "times",
    "getpriority",
    "setpriority",
    "ioprio_get",
    "ioprio_set",
    "sched_getaffinity",
    "sched_setaffinity",
    "sched_getparam",
    "sched_setparam",
    "sched_getscheduler",
    "sched_setscheduler",
    "sched_getattr",
    "sched_setattr",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "sched_rr_get_interval",
};
constexpr Names time = {
    "time",
    "gettimeofday",
    "clock_gettime",
    "clock_getres",
    "clock_nanosleep",
    "nanosleep",
    "alarm",
    "getitimer",
    "setitimer",
    "timer_create",
    "timer_delete",
    "timer_gettime",
    "timer_settime",
    "timer_getoverrun",
    "timerfd_create",
    "timerfd_gettime",
    "timerfd_settime",
};
// Making a socket is an argument rule.
constexpr Names sockets = {
    "bind",        "listen",      "accept",     "accept4",    "connect", "shutdown",
    "sendto",      "sendmsg",     "sendmmsg",   "recvfrom",   "recvmsg", "recvmmsg",
    "getsockname", "getpeername", "getsockopt", "setsockopt",
};
constexpr Names sysv_ipc = {
    "shmget",     "shmat",  "shmdt",  "shmctl", "semget", "semop",
    "semtimedop", "semctl", "msgget", "msgsnd", "msgrcv", "msgctl",
};
constexpr Names posix_message_queues = {
    "mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive", "mq_notify", "mq_getsetattr",
};
// A payload may confine itself further.
constexpr Names self_confinement = {
    "landlock_create_ruleset",
    "landlock_add_rule",
    "landlock_restrict_self",
};
constexpr Names machine = {"uname", "sysinfo", "getrandom"};
// KERNEL: entered from the kernel's own trampolines in a probed process; anywhere else SIGILL.
// Before 6.14 a filter that refused uretprobe killed every payload that an operator probed.
constexpr Names user_probes = {"uretprobe", "uprobe"};

constexpr Group groups[] = {
    {"file contents and descriptors", allowed, file_contents},
    {"names of files", allowed, file_names},
    {"attributes of files", allowed, file_attributes},
    {"waiting for files", allowed, waiting_for_files},
    {"memory", allowed, memory},
    {"placement of the caller's memory", allowed, memory_placement},
    {"processes", allowed, processes},
    {"threads", allowed, threads},
    {"signals", allowed, signals},
    {"identity", allowed, identity},
    {"limits and scheduling", allowed, limits_and_scheduling},
    {"time", allowed, time},
    {"sockets", allowed, sockets},
    {"System V IPC", allowed, sysv_ipc},
    {"POSIX message queues", allowed, posix_message_queues},
    {"self-confinement", allowed, self_confinement},
    {"the machine", allowed, machine},
    {"user probes", allowed, user_probes},
};

constexpr Group strict[] = {{"System V IPC", refused, sysv_ipc}};

}  // namespace

std::span<const Group> allowed_groups() noexcept {
  return groups;
}
std::span<const Group> strict_groups() noexcept {
  return strict;
}

}  // namespace sock::seccomp
