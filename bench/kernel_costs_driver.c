// The bare costs of the kernel as a measuring program: serves the protocol of serve.h for
// bench/kernel_costs.
//   usage: kernel_costs_driver OPERATION [--existing N] [--namespaces A,B] [--group DIR]
// OPERATION: bind, overlay, detached (a mount and its end); child, chroot, joined (a child until
// reaped; joined: into a kept network namespace); group-fresh, group-kept (a child in a cgroup);
// gone (no child: until the network namespaces of those before are taken down).
// --existing: so many mounts are there already; --group: the cgroup below which groups are made.

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel_costs.h"

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

struct operation {
  const char* name;
  int (*live)(struct cost_creator* creator);
  int (*existing)(const char* target);
};

static const struct operation operations[] = {
    {"bind", cost_live_bind, cost_mount_bind},
    {"overlay", cost_live_overlay, cost_mount_overlay},
    {"detached", cost_live_detached, cost_mount_bind},
    {"child", cost_live_child, cost_mount_bind},
    {"joined", cost_live_child, cost_mount_bind},
    {"chroot", cost_live_chroot, cost_mount_bind},
    {"group-fresh", cost_live_group_fresh, cost_mount_bind},
    {"group-kept", cost_live_group_kept, cost_mount_bind},
    {"gone", cost_live_gone, cost_mount_bind},
};

static const struct {
  const char* name;
  unsigned long long flag;
} namespaces[] = {
    {"pid", CLONE_NEWPID},       {"mnt", CLONE_NEWNS},  {"ipc", CLONE_NEWIPC},
    {"uts", CLONE_NEWUTS},       {"net", CLONE_NEWNET}, {"user", CLONE_NEWUSER},
    {"cgroup", CLONE_NEWCGROUP},
};

int cost_complain(const char* what) {
  fprintf(stderr, "kernel_costs: %s: %s\n", what, strerror(errno));
  return -1;
}

double cost_stage(struct cost_creator* creator, const char* name, double start) {
  const double now = now_microseconds();
  if (creator->stage_count < cost_stages)
    creator->stages[creator->stage_count++] =
        (struct stage_time){.name = name, .microseconds = now - start};
  return now;
}

static int live(void* argument) {
  struct cost_creator* creator = argument;
  creator->stage_count = 0;
  return creator->costs->live(creator);
}

static size_t stages(void* argument, struct stage_time* times, size_t capacity) {
  const struct cost_creator* creator = argument;
  size_t count = 0;
  for (; count < creator->stage_count && count < capacity; ++count)
    times[count] = creator->stages[count];
  return count;
}

static void close_creator(void* argument) {
  struct cost_creator* creator = argument;
  if (creator->costs->live == cost_live_group_kept) cost_remove_group(creator);
  free(creator);
}

static void* open_creator(void* context) {
  struct costs* costs = context;
  struct cost_creator* creator = calloc(1, sizeof *creator);
  if (!creator) return NULL;
  creator->costs = costs;
  creator->number = atomic_fetch_add(&costs->creators, 1);
  creator->group_directory = creator->group_procs = -1;
  snprintf(creator->target, sizeof creator->target, "/tmp/creator-%d", creator->number);
  if (costs->group)
    snprintf(creator->group, sizeof creator->group, "%s/sock-costs-%d-%d", costs->group,
             (int)getpid(), creator->number);
  if (mkdir(creator->target, 0755) ||
      (costs->live == cost_live_group_kept && cost_make_group(creator))) {
    cost_complain(creator->target);
    free(creator);
    return NULL;
  }
  return creator;
}

static int parse_namespaces(const char* names, unsigned long long* flags) {
  char copy[128];
  snprintf(copy, sizeof copy, "%s", names);
  for (char* name = strtok(copy, ","); name; name = strtok(NULL, ",")) {
    size_t i = 0;
    while (i < sizeof namespaces / sizeof *namespaces && strcmp(namespaces[i].name, name) != 0) ++i;
    if (i == sizeof namespaces / sizeof *namespaces) return -1;
    *flags |= namespaces[i].flag;
  }
  return 0;
}

static const struct operation* parse(int argc, char** argv, struct costs* costs) {
  if (argc < 2 || argc % 2 != 0) return NULL;
  for (int i = 2; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--existing") == 0)
      costs->existing = atoi(argv[i + 1]);
    else if (strcmp(argv[i], "--group") == 0)
      costs->group = argv[i + 1];
    else if (strcmp(argv[i], "--namespaces") != 0 ||
             parse_namespaces(argv[i + 1], &costs->namespaces))
      return NULL;
  }
  for (size_t i = 0; i < sizeof operations / sizeof *operations; ++i)
    if (strcmp(operations[i].name, argv[1]) == 0) return &operations[i];
  return NULL;
}

int main(int argc, char** argv) {
  struct costs costs = {.kept_network = -1};
  const struct operation* operation = parse(argc, argv, &costs);
  if (!operation || (strncmp(operation->name, "group", 5) == 0 && !costs.group)) {
    fprintf(stderr,
            "usage: kernel_costs_driver OPERATION [--existing N] [--namespaces A,B] "
            "[--group DIR]\n");
    return 2;
  }
  costs.live = operation->live;
  if (cost_open_mounts(&costs) || cost_make_existing(&costs, operation->existing)) return 1;
  if (strcmp(operation->name, "joined") == 0 && cost_keep_network(&costs)) return 1;
  if (costs.live == cost_live_gone && cost_limit_networks(&costs)) return 1;
  const struct subject subject = {.context = &costs,
                                  .open_creator = open_creator,
                                  .live = live,
                                  .stages = stages,
                                  .close_creator = close_creator};
  return serve(&subject) ? 1 : 0;
}
