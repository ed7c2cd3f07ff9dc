/* The layout of sock.h's structures on 64-bit machines, as first released: fields may only follow.
 * Compiling this file is the test. */
#include "sock/sock.h"

#define AT(type, field, offset) \
  _Static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")
#define AT_LEAST(type, size) _Static_assert(sizeof(type) >= (size), #type " has shrunk")
#define EXACTLY(type, size) _Static_assert(sizeof(type) == (size), #type " is part of others")

AT(sock_host_options, size, 0);
AT(sock_host_options, state_dir, 8);
AT(sock_host_options, libexec_dir, 16);
AT(sock_host_options, cgroup_parent, 24);
AT(sock_host_options, cgroup_backend, 32);
AT(sock_host_options, cgroup_reserve, 36);
AT(sock_host_options, without, 40);
AT_LEAST(sock_host_options, 48);

AT(sock_recovery, files, 32);
AT_LEAST(sock_recovery, 40);

EXACTLY(sock_limits, 96);
AT(sock_limits, cpu_weight, 32);
AT(sock_limits, reserved, 40);
EXACTLY(sock_bind, 24);
EXACTLY(sock_named_fd, 16);
EXACTLY(sock_id_range, 12);
EXACTLY(sock_timing, 16);

AT(sock_container_spec, flags, 8);
AT(sock_container_spec, name, 16);
AT(sock_container_spec, rootfs_base, 24);
AT(sock_container_spec, rootfs_handler, 32);
AT(sock_container_spec, packages, 40);
AT(sock_container_spec, binds, 48);
AT(sock_container_spec, bind_count, 56);
AT(sock_container_spec, argv, 64);
AT(sock_container_spec, env, 72);
AT(sock_container_spec, cwd, 80);
AT(sock_container_spec, hostname, 88);
AT(sock_container_spec, uid, 96);
AT(sock_container_spec, gid, 100);
AT(sock_container_spec, limits, 104);
AT(sock_container_spec, network, 200);
AT(sock_container_spec, network_fd, 204);
AT(sock_container_spec, seccomp, 208);
AT(sock_container_spec, stdio, 216);
AT(sock_container_spec, fds, 224);
AT(sock_container_spec, fd_count, 232);
AT(sock_container_spec, init, 240);
AT(sock_container_spec, terminal_rows, 244);
AT(sock_container_spec, terminal_columns, 246);
AT(sock_container_spec, time_limit_ms, 248);
AT(sock_container_spec, uid_map, 256);
AT(sock_container_spec, gid_map_count, 280);
AT(sock_container_spec, tmpfs, 288);
AT(sock_container_spec, tmpfs_count, 296);
AT(sock_container_spec, rlimits, 304);
AT(sock_container_spec, rlimit_count, 312);
AT(sock_container_spec, groups, 320);
AT(sock_container_spec, group_count, 328);
AT(sock_container_spec, unsafe_capabilities, 336);
AT(sock_container_spec, seccomp_policy, 344);
AT(sock_container_spec, mount_namespace, 352);
AT(sock_container_spec, unsafe_shared, 356);
AT_LEAST(sock_container_spec, 360);
EXACTLY(sock_tmpfs, 32);
EXACTLY(sock_rlimit, 16);

AT(sock_exec_spec, flags, 8);
AT(sock_exec_spec, argv, 16);
AT(sock_exec_spec, env, 24);
AT(sock_exec_spec, cwd, 32);
AT(sock_exec_spec, uid, 40);
AT(sock_exec_spec, gid, 44);
AT(sock_exec_spec, stdio, 48);
AT(sock_exec_spec, terminal_rows, 56);
AT(sock_exec_spec, groups, 64);
AT(sock_exec_spec, group_count, 72);
AT(sock_exec_spec, unsafe_capabilities, 80);
AT_LEAST(sock_exec_spec, 88);

AT(sock_check_result, name, 8);
AT(sock_check_result, detail, 16);
AT(sock_check_result, lost, 24);
AT(sock_check_result, remedy, 32);
AT(sock_check_result, outcome, 40);
AT_LEAST(sock_check_result, 48);

AT(sock_exit_status, kind, 8);
AT(sock_exit_status, value, 12);
AT_LEAST(sock_exit_status, 16);

AT(sock_stats, memory_current, 8);
AT(sock_stats, pids_current, 64);
AT_LEAST(sock_stats, 72);
