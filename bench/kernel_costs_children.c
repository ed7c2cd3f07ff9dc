// Children in namespaces and cgroups, until they are reaped. See kernel_costs.h. They share the
// memory of this process until they end (vfork), so that its size does not count.

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clone3.h"
#include "kernel_costs.h"

#define CHILD_FLAGS (CLONE_VM | CLONE_VFORK | CLONE_PIDFD)

struct child {
  unsigned long long namespaces;
  const char* root;  // to be entered; null: none
  int network;       // to be joined; -1: none
  int procs;         // of a v1 group to be joined; -1: none
  int group;         // a v2 group to be born into; -1: none
};

static __attribute__((noinline, noreturn)) void be_child(const struct child* child) {
  long failed = 0;
  if (child->procs >= 0) failed |= syscall(SYS_write, child->procs, "0", 1) != 1;
  if (child->network >= 0) failed |= syscall(SYS_setns, child->network, CLONE_NEWNET);
  if (child->root) failed |= syscall(SYS_chroot, child->root) || syscall(SYS_chdir, "/");
  syscall(SYS_exit_group, failed ? 1 : 0);
  __builtin_unreachable();
}

static __attribute__((noinline)) long start_child(const struct child* child, int* pidfd) {
  struct clone_args arguments = {.flags = CHILD_FLAGS | child->namespaces,
                                 .pidfd = (uint64_t)(uintptr_t)pidfd,
                                 .exit_signal = SIGCHLD};
  if (child->group >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = (uint64_t)child->group;
  }
  const long pid = clone3(&arguments);
  if (pid == 0) be_child(child);
  return pid;
}

static int run_child(const struct child* child) {
  int pidfd = -1;
  if (start_child(child, &pidfd) < 0) return cost_complain("clone3");
  siginfo_t info = {0};
  const int failed =
      waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) || info.si_code != CLD_EXITED || info.si_status;
  close(pidfd);
  return failed ? cost_complain("the child") : 0;
}

static struct child plain_child(const struct cost_creator* creator) {
  return (struct child){.namespaces = creator->costs->namespaces,
                        .network = creator->costs->kept_network,
                        .procs = -1,
                        .group = -1};
}

int cost_live_child(struct cost_creator* creator) {
  const struct child child = plain_child(creator);
  return run_child(&child);
}

int cost_live_chroot(struct cost_creator* creator) {
  struct child child = plain_child(creator);
  child.root = creator->target;
  return run_child(&child);
}

// Joining is different on the two versions: a v1 group has no file that says which controllers it
// has.
static int open_group(struct cost_creator* creator) {
  char path[cost_path + 32];
  snprintf(path, sizeof path, "%s/cgroup.controllers", creator->group);
  creator->group_directory = open(creator->group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (access(path, F_OK) == 0) return creator->group_directory < 0 ? -1 : 0;
  snprintf(path, sizeof path, "%s/cgroup.procs", creator->group);
  creator->group_procs = open(path, O_WRONLY | O_CLOEXEC);
  return creator->group_procs < 0 ? -1 : 0;
}

static void close_group(struct cost_creator* creator) {
  if (creator->group_directory >= 0) close(creator->group_directory);
  if (creator->group_procs >= 0) close(creator->group_procs);
  creator->group_directory = creator->group_procs = -1;
}

int cost_make_group(struct cost_creator* creator) {
  if (mkdir(creator->group, 0755)) return cost_complain(creator->group);
  return open_group(creator) ? cost_complain(creator->group) : 0;
}

// A v1 group may be busy for a moment after its last process was reaped.
void cost_remove_group(struct cost_creator* creator) {
  close_group(creator);
  const struct timespec moment = {.tv_nsec = 1000000};
  for (int i = 0; i < 1000 && rmdir(creator->group) && errno == EBUSY; ++i)
    nanosleep(&moment, NULL);
}

static int run_in_group(struct cost_creator* creator) {
  struct child child = plain_child(creator);
  child.procs = creator->group_procs;
  child.group = creator->group_procs >= 0 ? -1 : creator->group_directory;
  return run_child(&child);
}

int cost_live_group_kept(struct cost_creator* creator) {
  const double start = now_microseconds();
  const int failed = run_in_group(creator);
  cost_stage(creator, "child", start);
  return failed;
}

int cost_live_group_fresh(struct cost_creator* creator) {
  const double start = now_microseconds();
  if (cost_make_group(creator)) return -1;
  const double made = cost_stage(creator, "make", start);
  const int failed = run_in_group(creator);
  const double ran = cost_stage(creator, "child", made);
  cost_remove_group(creator);
  cost_stage(creator, "remove", ran);
  return failed;
}

// An empty one, for children to join.
int cost_keep_network(struct costs* costs) {
  const int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (own < 0 || unshare(CLONE_NEWNET)) return cost_complain("a network namespace");
  costs->kept_network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  const int failed = costs->kept_network < 0 || setns(own, CLONE_NEWNET);
  close(own);
  return failed ? cost_complain("a network namespace") : 0;
}

// The kernel counts a network namespace until it is taken down, for a limit of its user namespace.
// In one of our own there may be two: one that is kept, and the one that this process is in.
int cost_limit_networks(struct costs* costs) {
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET)) return cost_complain("a user namespace");
  costs->kept_network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  const int limit = open("/proc/sys/user/max_net_namespaces", O_WRONLY | O_CLOEXEC);
  const int failed =
      costs->kept_network < 0 || limit < 0 || write(limit, "2", 1) != 1 || unshare(CLONE_NEWNET);
  if (limit >= 0) close(limit);
  return failed ? cost_complain("max_net_namespaces") : 0;
}

// Leaves the one that it is in, and has a new one as soon as the limit allows it, which is when the
// old one is gone. One worker of the kernel takes them down, in the order in which they ended
// (cleanup_net), so that those that ended before are gone too. Nothing tells of it: it is tried.
int cost_live_gone(struct cost_creator* creator) {
  const struct timespec moment = {.tv_nsec = 1000000};
  if (setns(creator->costs->kept_network, CLONE_NEWNET)) return cost_complain("setns");
  while (unshare(CLONE_NEWNET)) {
    if (errno != ENOSPC) return cost_complain("a network namespace");
    nanosleep(&moment, NULL);
  }
  return 0;
}
