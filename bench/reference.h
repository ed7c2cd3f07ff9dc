// The yardstick: a lean container made by hand, with the system calls that the library makes for
// its default container (Init::none) and nothing around them: no specs, no errors with names, no
// crash safety, no janitor. What the library costs on top of this is what the library costs.
//
// Prepared once per host (reference_host.c, reference_filter.c), as the library does:
//   a detached, read-only mount tree as a template; an empty mount and an empty network namespace;
//   a Landlock ruleset with both scopes; a compiled seccomp filter; the name of the v2 hierarchy.
// Prepared once per creator: one cgroup leaf in each hierarchy, with its cgroup.procs open.
//
// Per container (reference_launch.c):
//   parent  pwrite pids.max; open_tree(template, CLONE|RECURSIVE); for /tmp and /dev/shm: fsopen,
//           fsconfig size, nr_inodes, mode and CREATE, fsmount, move_mount, 2 close;
//           rt_sigprocmask; clone3(VM|VFORK|PIDFD|CLEAR_SIGHAND|NEWPID|NEWIPC|NEWUTS, and
//           INTO_CGROUP where there is v2); rt_sigprocmask
//   child   write "0" to each v1 cgroup.procs; fsopen proc, fsconfig subset=pid and CREATE,
//   fsmount,
//           move_mount; unshare(NEWCGROUP); sethostname; setns net, setns mnt; fchdir, chroot,
//           chdir; prlimit core; umask; one PR_CAPBSET_DROP for each capability of the bounding
//           set; 3 dup3; close_range(CLOEXEC); setsid; setgroups, setresgid, setresuid; capset;
//           PR_SET_NO_NEW_PRIVS; landlock_restrict_self; rt_sigprocmask; seccomp; execve
//   parent  waitid(P_PIDFD), close pidfd, close tree

#pragma once

#include <linux/filter.h>
#include <stddef.h>

#include "serve.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { reference_most_groups = 4 };

struct reference_host {
  int template_tree;
  int mount_namespace;
  int network_namespace;
  int landlock_ruleset;
  int dev_null;
  struct sock_fprog filter;
  unsigned char bounding[64];  // capabilities to drop
  size_t bounding_count;
  char v2_parent[512];  // empty: no v2
  char v1_parents[reference_most_groups][512];
  size_t v1_count;
  int made_directories;  // the parents are ours
  const char* program;   // path inside the root
  int output;            // descriptor 1 of the payload; -1 for /dev/null
};

// Returns 0, or -1 after saying why on stderr. `rootfs` holds the payload and empty /proc, /dev,
// /tmp. `program` is borrowed.
int reference_open(struct reference_host* host, const char* rootfs, const char* program);
void reference_close(struct reference_host* host);
// Part of reference_open, in a file of its own: an allow-list with a binary tree, as large as the
// library's default one. The instructions come from malloc.
int reference_make_filter(struct sock_fprog* filter);

// For serve(): subject.context is a reference_host.
void* reference_open_creator(void* host);
int reference_live(void* creator);
size_t reference_stages(void* creator, struct stage_time* times, size_t capacity);
void reference_close_creator(void* creator);

// clone3 and execve of a program of the host, without any isolation, until reaped. `output` becomes
// its descriptor 1; -1 leaves ours.
int reference_bare(const char* program, int output);

#ifdef __cplusplus
}
#endif
