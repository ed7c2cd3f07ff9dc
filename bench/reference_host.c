// What the reference prepares once: template tree, empty namespaces, ruleset, places for cgroups.
// See reference.h. Simple, not fast: none of this is measured.

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <mntent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reference.h"

#ifndef LANDLOCK_SCOPE_SIGNAL  // headers before Linux 6.12
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)
#endif

struct scoped_ruleset {
  unsigned long long handled_access_fs, handled_access_net, scoped;
};

static int complain(const char* what) {
  fprintf(stderr, "reference: %s: %s\n", what, strerror(errno));
  return -1;
}

static int set_attributes(int tree, unsigned long long attributes) {
  struct mount_attr change = {.attr_set = attributes};
  return (int)syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &change,
                      sizeof change);
}

// A /dev with the six harmless devices and a mount point for /dev/shm.
static int make_dev(void) {
  static const struct {
    const char* name;
    unsigned minor;
  } devices[] = {{"null", 3}, {"zero", 5}, {"full", 7}, {"random", 8}, {"urandom", 9}};
  const int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "mode", "0755", 0);
  syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  const int dev = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
  close(context);
  if (dev < 0) return -1;
  const mode_t mask = umask(0);
  int failed = mkdirat(dev, "shm", 0755);
  for (size_t i = 0; i < sizeof devices / sizeof *devices && !failed; ++i)
    failed = mknodat(dev, devices[i].name, S_IFCHR | 0666, makedev(1, devices[i].minor));
  if (!failed) failed = mknodat(dev, "tty", S_IFCHR | 0666, makedev(5, 0));
  umask(mask);
  if (!failed)
    failed = set_attributes(dev, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  if (failed) close(dev);
  return failed ? -1 : dev;
}

static int make_template(const char* rootfs) {
  const int tree = (int)syscall(SYS_open_tree, AT_FDCWD, rootfs,
                                OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  if (tree < 0) return complain(rootfs);
  if (set_attributes(tree, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV))
    return complain("mount_setattr");
  const int dev = make_dev();
  if (dev < 0) return complain("/dev");
  if (syscall(SYS_move_mount, dev, "", tree, "dev", MOVE_MOUNT_F_EMPTY_PATH))
    return complain("mounting on a detached tree (Linux 6.15)");
  close(dev);
  return tree;
}

static int become_empty(void) {
  if (unshare(CLONE_NEWNET | CLONE_NEWNS)) return -1;
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return -1;
  if (mount("empty", "/tmp", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "nr_inodes=1"))
    return -1;
  if (chdir("/tmp") || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH)) return -1;
  return 0;
}

static int open_namespace(pid_t pid, const char* name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, name);
  return open(path, O_RDONLY | O_CLOEXEC);
}

// A child makes the namespaces; they live on in our descriptors.
static int make_namespaces(struct reference_host* host) {
  int ready[2];
  if (pipe2(ready, O_CLOEXEC)) return complain("pipe");
  const pid_t child = fork();
  if (child < 0) return complain("fork");
  if (child == 0) {
    const char made = become_empty() == 0 ? 'y' : 'n';
    if (write(ready[1], &made, 1) == 1) pause();
    _exit(1);
  }
  char made = 'n';
  if (read(ready[0], &made, 1) == 1 && made == 'y') {
    host->mount_namespace = open_namespace(child, "mnt");
    host->network_namespace = open_namespace(child, "net");
  }
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  close(ready[0]);
  close(ready[1]);
  return host->mount_namespace < 0 || host->network_namespace < 0 ? complain("namespaces") : 0;
}

// The caller's own group in the hierarchy mounted at `mount`, by /proc/self/cgroup; "" is v2.
static void find_own_group(const char* mount, const char* controller, char* path, size_t size) {
  FILE* file = fopen("/proc/self/cgroup", "re");
  char line[512];
  path[0] = '\0';
  while (file && fgets(line, sizeof line, file)) {
    char* controllers = strchr(line, ':');
    char* group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) continue;
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    if (strcmp(controllers + 1, controller) != 0) continue;
    snprintf(path, size, "%s%s", mount, strcmp(group, "/") == 0 ? "" : group);
  }
  if (file) fclose(file);
}

static void find_cgroups(struct reference_host* host) {
  static const char* const controllers[] = {"memory", "cpu", "cpuacct", "pids"};
  FILE* mounts = setmntent("/proc/self/mounts", "re");
  struct mntent* entry;
  while (mounts && (entry = getmntent(mounts))) {
    if (strcmp(entry->mnt_type, "cgroup2") == 0 && !host->v2_parent[0])
      find_own_group(entry->mnt_dir, "", host->v2_parent, sizeof host->v2_parent);
    if (strcmp(entry->mnt_type, "cgroup") != 0) continue;
    for (size_t i = 0; i < sizeof controllers / sizeof *controllers; ++i) {
      if (!hasmntopt(entry, controllers[i]) || host->v1_count == reference_most_groups) continue;
      char* parent = host->v1_parents[host->v1_count];
      find_own_group(entry->mnt_dir, controllers[i], parent, sizeof host->v1_parents[0]);
      if (parent[0]) ++host->v1_count;
    }
  }
  if (mounts) endmntent(mounts);
}

// One directory of ours in each hierarchy, as the library has: where its groups stand decides their
// share of a busy CPU.
static int make_group_directory(char* parent) {
  snprintf(parent + strlen(parent), 64, "/sock-reference-%d", (int)getpid());
  return mkdir(parent, 0755) ? complain(parent) : 0;
}

// On v2, limits need the controllers; where they cannot be had, there are no limits.
static void enable_controllers(const char* directory) {
  char path[600];
  snprintf(path, sizeof path, "%s/cgroup.subtree_control", directory);
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  static const char* const names[] = {"+memory", "+cpu", "+pids"};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
    if (write(file, names[i], strlen(names[i])) < 0) continue;
  close(file);
}

static int make_group_directories(struct reference_host* host) {
  if (host->v2_parent[0]) {
    enable_controllers(host->v2_parent);
    if (make_group_directory(host->v2_parent)) return -1;
    enable_controllers(host->v2_parent);
  }
  for (size_t i = 0; i < host->v1_count; ++i)
    if (make_group_directory(host->v1_parents[i])) return -1;
  host->made_directories = 1;
  return 0;
}

static void find_bounding(struct reference_host* host) {
  for (unsigned char capability = 0; capability < sizeof host->bounding; ++capability)
    if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1)
      host->bounding[host->bounding_count++] = capability;
}

int reference_open(struct reference_host* host, const char* rootfs, const char* program) {
  *host = (struct reference_host){.template_tree = -1,
                                  .mount_namespace = -1,
                                  .network_namespace = -1,
                                  .landlock_ruleset = -1,
                                  .dev_null = -1,
                                  .program = program,
                                  .output = -1};
  const struct scoped_ruleset scopes = {.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET |
                                                  LANDLOCK_SCOPE_SIGNAL};
  host->landlock_ruleset = (int)syscall(SYS_landlock_create_ruleset, &scopes, sizeof scopes, 0);
  if (host->landlock_ruleset < 0) return complain("landlock scopes (Linux 6.12)");
  host->dev_null = open("/dev/null", O_RDWR | O_CLOEXEC);
  host->template_tree = make_template(rootfs);
  if (host->dev_null < 0 || host->template_tree < 0) return -1;
  find_cgroups(host);
  find_bounding(host);
  if (make_group_directories(host) || make_namespaces(host)) return -1;
  return reference_make_filter(&host->filter);
}

void reference_close(struct reference_host* host) {
  const int files[] = {host->template_tree, host->mount_namespace, host->network_namespace,
                       host->landlock_ruleset, host->dev_null};
  for (size_t i = 0; i < sizeof files / sizeof *files; ++i)
    if (files[i] >= 0) close(files[i]);
  if (host->made_directories) {
    if (host->v2_parent[0]) rmdir(host->v2_parent);
    for (size_t i = 0; i < host->v1_count; ++i) rmdir(host->v1_parents[i]);
  }
  free(host->filter.filter);
}
