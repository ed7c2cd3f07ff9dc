// The reference's seccomp filter: what the library's default refuses is left out of an allow-list
// of all other system calls that libseccomp knows, in a binary tree. See reference.h.

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reference.h"

enum { highest_syscall = 470 };

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

static int is_refused(const char* name) {
  for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i)
    if (strcmp(name, refused[i]) == 0) return 1;
  return 0;
}

static int add_rules(scmp_filter_ctx context) {
  int result = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  for (int number = 0; number <= highest_syscall && result == 0; ++number) {
    char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    if (name && strcmp(name, "socket") == 0)
      result = seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 1, SCMP_A0(SCMP_CMP_NE, 40));
    else if (name && strcmp(name, "ioctl") == 0)
      result = seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 1, SCMP_A1(SCMP_CMP_NE, 0x5412));
    else if (name && !is_refused(name))
      result = seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0);
    free(name);
  }
  return result;
}

// libseccomp writes programs to descriptors only.
static int export_program(scmp_filter_ctx context, struct sock_fprog* filter) {
  const int file = memfd_create("filter", MFD_CLOEXEC);
  if (file < 0) return -errno;
  int result = seccomp_export_bpf(context, file);
  const off_t size = lseek(file, 0, SEEK_END);
  if (result == 0 && size > 0) {
    filter->filter = malloc((size_t)size);
    filter->len = (unsigned short)((size_t)size / sizeof *filter->filter);
    if (!filter->filter || pread(file, filter->filter, (size_t)size, 0) != size) result = -EIO;
  }
  close(file);
  return result;
}

int reference_make_filter(struct sock_fprog* filter) {
  scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (!context) return -1;
  int result = add_rules(context);
  if (result == 0) result = export_program(context, filter);
  seccomp_release(context);
  if (result != 0) fprintf(stderr, "reference: seccomp: %s\n", strerror(-result));
  return result ? -1 : 0;
}
