// The measured part of the reference: one container from nothing to given back. See reference.h for
// the list of calls. The child runs on the parent's stack (clone3 with VM and VFORK), so it calls
// one function that never returns and writes what the parent shall read into the creator.

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clone3.h"
#include "reference.h"

enum stage {
  stage_cgroup,
  stage_rootfs,
  stage_clone,
  stage_cgroup_join,
  stage_namespaces,
  stage_mounts,
  stage_root,
  stage_identity,
  stage_rlimits,
  stage_capabilities,
  stage_landlock,
  stage_seccomp,
  stage_exec,
  stage_wait,
  stage_give_back,
  stage_count
};
static const char* const stage_names[] = {"cgroup",     "rootfs",       "clone",    "cgroup_join",
                                          "namespaces", "mounts",       "root",     "identity",
                                          "rlimits",    "capabilities", "landlock", "seccomp",
                                          "exec",       "wait",         "give_back"};
enum { nobody = 65534 };

struct creator {
  const struct reference_host* host;
  int v2_group;  // -1: no v2
  int v1_procs[reference_most_groups];
  int pids_max;  // -1: no pids controller
  char groups[reference_most_groups + 1][600];
  size_t group_count;
  int tree;
  int pidfd;
  sigset_t signals;
  double ends[stage_count];
  double start;
  const char* failed_call;
  int failed_errno;
};

// In shared memory with the parent, which is stopped: no library function with state is called.
static _Noreturn void fail(struct creator* self, const char* call) {
  self->failed_call = call;
  self->failed_errno = errno;
  syscall(SYS_exit_group, 127);
  __builtin_unreachable();
}
#define CHILD(call)                          \
  do {                                       \
    if ((long)(call) < 0) fail(self, #call); \
  } while (0)

static void ended(struct creator* self, enum stage stage) {
  self->ends[stage] = now_microseconds();
}

static void enter_groups(struct creator* self) {
  for (size_t i = 0; i < self->host->v1_count; ++i)
    CHILD(syscall(SYS_write, self->v1_procs[i], "0", 1));
  ended(self, stage_cgroup_join);
}

// KERNEL: a detached tree may be mounted on only from the mount namespace in which it was made, so
// /proc comes before the change of namespaces.
static void mount_proc(struct creator* self) {
  const int context = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
  CHILD(context);
  CHILD(syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "subset", "pid", 0));
  CHILD(syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
  const int proc = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
                                MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  CHILD(proc);
  CHILD(syscall(SYS_move_mount, proc, "", self->tree, "proc", MOVE_MOUNT_F_EMPTY_PATH));
  ended(self, stage_mounts);
}

static void enter_namespaces_and_root(struct creator* self) {
  // KERNEL: made by clone, it would be rooted in the parent's groups.
  CHILD(syscall(SYS_unshare, CLONE_NEWCGROUP));
  CHILD(syscall(SYS_sethostname, "sock", 4));
  CHILD(syscall(SYS_setns, self->host->network_namespace, CLONE_NEWNET));
  CHILD(syscall(SYS_setns, self->host->mount_namespace, CLONE_NEWNS));
  ended(self, stage_namespaces);
  CHILD(syscall(SYS_fchdir, self->tree));
  CHILD(syscall(SYS_chroot, "."));
  CHILD(syscall(SYS_chdir, "/"));
  ended(self, stage_root);
}

static void become_nobody(struct creator* self) {
  const struct reference_host* host = self->host;
  const struct rlimit none = {0, 0};
  CHILD(syscall(SYS_prlimit64, 0, RLIMIT_CORE, &none, NULL));
  syscall(SYS_umask, 022);
  ended(self, stage_rlimits);
  // Before the ids change: dropping from the bounding set needs CAP_SETPCAP.
  for (size_t i = 0; i < host->bounding_count; ++i)
    CHILD(syscall(SYS_prctl, PR_CAPBSET_DROP, (long)host->bounding[i], 0, 0, 0));
  ended(self, stage_capabilities);
  const int output = host->output < 0 ? host->dev_null : host->output;
  CHILD(syscall(SYS_dup3, host->dev_null, 0, 0));
  CHILD(syscall(SYS_dup3, output, 1, 0));
  CHILD(syscall(SYS_dup3, host->dev_null, 2, 0));
  CHILD(syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC));
  CHILD(syscall(SYS_setsid));
  CHILD(syscall(SYS_setgroups, 0, NULL));
  CHILD(syscall(SYS_setresgid, nobody, nobody, nobody));
  CHILD(syscall(SYS_setresuid, nobody, nobody, nobody));
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const struct __user_cap_data_struct empty[2] = {0};
  CHILD(syscall(SYS_capset, &header, empty));
  ended(self, stage_identity);
}

static void confine(struct creator* self) {
  CHILD(syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  CHILD(syscall(SYS_landlock_restrict_self, self->host->landlock_ruleset, 0));
  ended(self, stage_landlock);
  CHILD(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &self->signals, NULL, 8));
  CHILD(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &self->host->filter));
  ended(self, stage_seccomp);
}

static __attribute__((noinline, noreturn)) void child(struct creator* self) {
  ended(self, stage_clone);
  enter_groups(self);
  mount_proc(self);
  enter_namespaces_and_root(self);
  become_nobody(self);
  confine(self);
  char* const argv[] = {(char*)self->host->program, NULL};
  char* const env[] = {NULL};
  CHILD(syscall(SYS_execve, self->host->program, argv, env));
  fail(self, "execve returned");
}

static __attribute__((noinline)) long start_child(struct creator* self) {
  struct clone_args arguments = {
      .flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CLEAR_SIGHAND | CLONE_NEWPID |
               CLONE_NEWIPC | CLONE_NEWUTS,
      .pidfd = (uint64_t)(uintptr_t)&self->pidfd,
      .exit_signal = SIGCHLD,
  };
  if (self->v2_group >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = (uint64_t)(unsigned)self->v2_group;
  }
  const long result = clone3(&arguments);
  if (result == 0) child(self);
  return result;
}

static int mount_scratch(int tree, const char* target) {
  const int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
  syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "size", "67108864", 0);
  syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "nr_inodes", "65536", 0);
  syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "mode", "1777", 0);
  if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) return -1;
  const int mount =
      (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  close(context);
  const long failed = syscall(SYS_move_mount, mount, "", tree, target, MOVE_MOUNT_F_EMPTY_PATH);
  close(mount);
  return failed ? -1 : 0;
}

static int complain(const char* what, int error) {
  fprintf(stderr, "reference: %s: %s\n", what, strerror(error));
  return -1;
}

static int launch(struct creator* self) {
  self->start = now_microseconds();
  if (self->pids_max >= 0 && pwrite(self->pids_max, "256", 3, 0) != 3)
    return complain("pids.max", errno);
  ended(self, stage_cgroup);
  self->tree = (int)syscall(SYS_open_tree, self->host->template_tree, "",
                            OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);
  if (self->tree < 0 || mount_scratch(self->tree, "tmp") || mount_scratch(self->tree, "dev/shm"))
    return complain("root", errno);
  ended(self, stage_rootfs);
  // A signal handler must not run in the child, in memory that is the parent's.
  const uint64_t all_signals = ~UINT64_C(0);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all_signals, &self->signals, 8);
  self->failed_call = NULL;
  const long pid = start_child(self);
  const int error = errno;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &self->signals, NULL, 8);
  ended(self, stage_exec);
  return pid < 0 ? complain("clone3", pid == -1 ? error : (int)-pid) : 0;
}

int reference_live(void* creator) {
  struct creator* self = creator;
  if (launch(self)) return -1;
  siginfo_t info = {0};
  if (waitid(P_PIDFD, (id_t)self->pidfd, &info, WEXITED)) return complain("waitid", errno);
  ended(self, stage_wait);
  close(self->pidfd);
  close(self->tree);
  ended(self, stage_give_back);
  if (self->failed_call) return complain(self->failed_call, self->failed_errno);
  return info.si_code == CLD_EXITED && info.si_status == 0 ? 0 : complain("the payload failed", 0);
}

size_t reference_stages(void* creator, struct stage_time* times, size_t capacity) {
  const struct creator* self = creator;
  double previous = self->start;
  size_t count = 0;
  // In the order in which they ended, which is that of the enumeration but for two of them.
  static const enum stage order[] = {
      stage_cgroup,     stage_rootfs,  stage_clone,   stage_cgroup_join,  stage_mounts,
      stage_namespaces, stage_root,    stage_rlimits, stage_capabilities, stage_identity,
      stage_landlock,   stage_seccomp, stage_exec,    stage_wait,         stage_give_back};
  for (; count < stage_count && count < capacity; ++count) {
    times[count].name = stage_names[order[count]];
    times[count].microseconds = self->ends[order[count]] - previous;
    previous = self->ends[order[count]];
  }
  return count;
}

static int make_group(struct creator* self, const char* parent, int number) {
  char* path = self->groups[self->group_count];
  snprintf(path, sizeof self->groups[0], "%s/%d", parent, number);
  if (mkdir(path, 0755)) return complain(path, errno);
  ++self->group_count;
  return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int open_groups(struct creator* self, int number) {
  if (self->host->v2_parent[0]) {
    self->v2_group = make_group(self, self->host->v2_parent, number);
    if (self->v2_group < 0) return -1;
    self->pids_max = openat(self->v2_group, "pids.max", O_WRONLY | O_CLOEXEC);
  }
  for (size_t i = 0; i < self->host->v1_count; ++i) {
    const int group = make_group(self, self->host->v1_parents[i], number);
    if (group < 0) return -1;
    self->v1_procs[i] = openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (self->pids_max < 0) self->pids_max = openat(group, "pids.max", O_WRONLY | O_CLOEXEC);
    close(group);
    if (self->v1_procs[i] < 0) return complain("cgroup.procs", errno);
  }
  return 0;
}

void* reference_open_creator(void* host) {
  static _Atomic int numbers;
  struct creator* self = calloc(1, sizeof *self);
  if (!self) return NULL;
  self->host = host;
  self->v2_group = self->pids_max = -1;
  for (size_t i = 0; i < reference_most_groups; ++i) self->v1_procs[i] = -1;
  if (open_groups(self, numbers++) == 0) return self;
  reference_close_creator(self);
  return NULL;
}

void reference_close_creator(void* creator) {
  struct creator* self = creator;
  for (size_t i = 0; i < reference_most_groups; ++i)
    if (self->v1_procs[i] >= 0) close(self->v1_procs[i]);
  if (self->v2_group >= 0) close(self->v2_group);
  if (self->pids_max >= 0) close(self->pids_max);
  for (size_t i = 0; i < self->group_count; ++i) rmdir(self->groups[i]);
  free(self);
}
