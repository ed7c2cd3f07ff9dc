// The reference's seccomp filter: what the library's default refuses, one comparison each. See
// reference.h.

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>

#include "reference.h"

static const char* const refused[] = {
    "acct",
    "add_key",
    "bpf",
    "clock_adjtime",
    "clock_settime",
    "clone3",
    "create_module",
    "delete_module",
    "fanotify_init",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "init_module",
    "io_uring_enter",
    "io_uring_setup",
    "ioperm",
    "iopl",
    "kcmp",
    "kexec_load",
    "kexec_file_load",
    "keyctl",
    "lookup_dcookie",
    "mount",
    "mount_setattr",
    "move_mount",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pidfd_getfd",
    "pivot_root",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "quotactl",
    "reboot",
    "request_key",
    "setns",
    "settimeofday",
    "swapoff",
    "swapon",
    "syslog",
    "umount2",
    "unshare",
    "userfaultfd",
    "vhangup",
    "chroot",
    "io_uring_register",
};

// As long as what SeccompPolicy::handler() compiles to, so that both install the same amount.
enum { filter_length = 127 };

static struct sock_filter statement(unsigned short code, unsigned value) {
  return (struct sock_filter){.code = code, .k = value};
}

// Architecture, number, then one comparison for each refused call; numbers that no kernel has fill
// it up to the length.
int reference_make_filter(struct sock_fprog* filter) {
  struct sock_filter* program = calloc(filter_length, sizeof *program);
  if (!program) return -1;
  const size_t names = sizeof refused / sizeof *refused;
  const int deny = filter_length - 1;
  int at = 0;
  program[at++] = statement(BPF_LD | BPF_W | BPF_ABS, 4);
  program[at++] = (struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, 1, 0, seccomp_arch_native()};
  program[at++] = statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  program[at++] = statement(BPF_LD | BPF_W | BPF_ABS, 0);
  for (size_t i = 0; at < deny - 1; ++i, ++at) {
    const int number = i < names ? seccomp_syscall_resolve_name(refused[i]) : 1000 + at;
    program[at] = (struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, (unsigned char)(deny - at - 1), 0,
                                       (unsigned)number};
  }
  program[at++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  program[at] = statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  filter->filter = program;
  filter->len = filter_length;
  return 0;
}
