// What bench/kernel_costs measures: single things that a container is made of, as bare system
// calls. One process measures one of them, beside a number of mounts that are there already; it
// lives in a mount namespace of its own, so that nothing is left when it ends.

#pragma once

#include <stdatomic.h>
#include <stddef.h>

#include "serve.h"

enum { cost_path = 160, cost_stages = 4 };

struct cost_creator;

struct costs {
  int (*live)(struct cost_creator* creator);
  int existing;                   // mounts of this kind, made beforehand
  unsigned long long namespaces;  // of each child
  const char* group;              // the cgroup below which groups are made; null: none
  int kept_network;               // a namespace to be joined; -1: none
  atomic_int creators;
};

struct cost_creator {
  struct costs* costs;
  int number;
  char target[cost_path];  // a directory of its own
  char group[cost_path];
  int group_directory;  // of a kept group; -1
  int group_procs;      // on v1, of a kept group; -1
  struct stage_time stages[cost_stages];
  size_t stage_count;
};

// Each returns 0, or -1 after saying why on stderr.

int cost_complain(const char* what);
// Books the time since `start` and gives the time now.
double cost_stage(struct cost_creator* creator, const char* name, double start);

// In kernel_costs_mounts.c. A mount and its being taken away; `existing` of them at the start.
int cost_open_mounts(struct costs* costs);
int cost_make_existing(const struct costs* costs, int (*mount_at)(const char* target));
int cost_mount_bind(const char* target);
int cost_mount_overlay(const char* target);
int cost_live_bind(struct cost_creator* creator);
int cost_live_overlay(struct cost_creator* creator);
int cost_live_detached(struct cost_creator* creator);

// In kernel_costs_children.c. A child, from its start until it is reaped.
int cost_live_child(struct cost_creator* creator);
int cost_live_chroot(struct cost_creator* creator);
int cost_live_group_fresh(struct cost_creator* creator);
int cost_live_group_kept(struct cost_creator* creator);
int cost_make_group(struct cost_creator* creator);
void cost_remove_group(struct cost_creator* creator);
int cost_keep_network(struct costs* costs);
// Without a child: until the kernel has taken down every network namespace that has ended.
int cost_live_gone(struct cost_creator* creator);
int cost_limit_networks(struct costs* costs);
