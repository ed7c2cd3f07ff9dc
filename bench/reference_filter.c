// The reference's seccomp filter: part of what the library's default refuses. See reference.h.

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

// As long as what SeccompPolicy::handler() compiles to, and a binary search like that, so that both
// install the same amount: 4 instructions before the search, 3 for each leaf, 1 for each fork.
enum { searched = 31, filter_length = 4 + 3 * searched + (searched - 1) };

static struct sock_filter* statement(struct sock_filter* at, unsigned short code, unsigned value) {
  *at = (struct sock_filter){.code = code, .k = value};
  return at + 1;
}

// Below a fork stands the search for the smaller numbers, then that for the others.
static struct sock_filter* search(struct sock_filter* at, const int* numbers, int count) {
  if (count == 1) {
    *at++ = (struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (unsigned)numbers[0]};
    at = statement(at, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    return statement(at, BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  }
  const int half = count / 2;
  struct sock_filter* right = search(at + 1, numbers, half);
  const unsigned char distance = (unsigned char)(right - at - 1);
  *at = (struct sock_filter){BPF_JMP | BPF_JGE | BPF_K, distance, 0, (unsigned)numbers[half]};
  return search(right, numbers + half, count - half);
}

static int ascending(const void* left, const void* right) {
  return *(const int*)left - *(const int*)right;
}

int reference_make_filter(struct sock_fprog* filter) {
  struct sock_filter* program = calloc(filter_length, sizeof *program);
  if (!program) return -1;
  int numbers[searched];
  for (int i = 0; i < searched; ++i) numbers[i] = seccomp_syscall_resolve_name(refused[i]);
  qsort(numbers, searched, sizeof *numbers, ascending);
  struct sock_filter* at = statement(program, BPF_LD | BPF_W | BPF_ABS, 4);
  *at++ = (struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, 1, 0, seccomp_arch_native()};
  at = statement(at, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  at = statement(at, BPF_LD | BPF_W | BPF_ABS, 0);
  search(at, numbers, searched);
  *filter = (struct sock_fprog){.len = filter_length, .filter = program};
  return 0;
}
