// Mounts beside mounts: bind, overlay and detached. See kernel_costs.h.

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel_costs.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

static const char source[] = "/tmp/source";

// A namespace of our own with a tmpfs on /tmp, which is where everything happens.
int cost_open_mounts(struct costs* costs) {
  (void)costs;
  if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
    return cost_complain("a mount namespace");
  if (mount("costs", "/tmp", "tmpfs", 0, "mode=755")) return cost_complain("tmpfs");
  return mkdir(source, 0755) || mkdir("/tmp/existing", 0755) ? cost_complain(source) : 0;
}

int cost_make_existing(const struct costs* costs, int (*mount_at)(const char* target)) {
  char target[cost_path];
  for (int i = 0; i < costs->existing; ++i) {
    snprintf(target, sizeof target, "/tmp/existing/%d", i);
    if (mkdir(target, 0755)) return cost_complain(target);
    if (mount_at(target)) return -1;
  }
  return 0;
}

int cost_mount_bind(const char* target) {
  return mount(source, target, NULL, MS_BIND, NULL) ? cost_complain("bind mount") : 0;
}

// One lower directory; each has an upper and a work directory of its own.
int cost_mount_overlay(const char* target) {
  char upper[cost_path + 8];
  char work[cost_path + 8];
  char options[3 * cost_path];
  snprintf(upper, sizeof upper, "%s.upper", target);
  snprintf(work, sizeof work, "%s.work", target);
  snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s", source, upper, work);
  mkdir(upper, 0755);  // It may be there from the life before.
  mkdir(work, 0755);
  return mount("overlay", target, "overlay", 0, options) ? cost_complain("overlay") : 0;
}

static int take_away(struct cost_creator* creator, double start) {
  const double mounted = cost_stage(creator, "mount", start);
  if (umount2(creator->target, 0)) return cost_complain("umount");
  cost_stage(creator, "umount", mounted);
  return 0;
}

int cost_live_bind(struct cost_creator* creator) {
  const double start = now_microseconds();
  return cost_mount_bind(creator->target) ? -1 : take_away(creator, start);
}

int cost_live_overlay(struct cost_creator* creator) {
  const double start = now_microseconds();
  return cost_mount_overlay(creator->target) ? -1 : take_away(creator, start);
}

// What the library does instead: a copy of a tree that never appears in the table of mounts.
int cost_live_detached(struct cost_creator* creator) {
  const double start = now_microseconds();
  const int tree = (int)syscall(SYS_open_tree, AT_FDCWD, source,
                                OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  if (tree < 0) return cost_complain("open_tree");
  const double copied = cost_stage(creator, "mount", start);
  close(tree);
  cost_stage(creator, "umount", copied);
  return 0;
}
