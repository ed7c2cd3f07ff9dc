/* The C interface of libsock: the verbs of the C++ interface, for C and for every language that can
 * call C. Stable: functions and trailing fields are added, nothing is changed or removed.
 *
 * Conventions
 *  - A function that can fail returns 0, or a negative error number of the system (-EINVAL).
 *  - Its last parameter is `sock_error **error`, which may be NULL. On failure it receives an error
 *    that the caller frees (NULL where there was no memory for one); on success it is left alone.
 *  - Outputs are named ret_* and written on success only.
 *  - Strings are NUL-terminated. Those passed in are copied before the call returns; those passed
 *    out belong to the object that was asked, or are constants.
 *  - Lists of strings end with a NULL; a list that is NULL is empty.
 *  - Structures start with their own size: begin with the *_INIT macro, or with zeroed memory and
 *    the size set. A caller compiled against an older, smaller structure keeps working; a newer one
 *    must leave zero what this library is too old to know, or the call is -E2BIG.
 *  - Zero always means the default, and no default weakens the isolation. What does weaken it is
 *    called SOCK_UNSAFE_*.
 *  - A descriptor passed in is borrowed for the length of the call; one passed out stays the
 *    object's own. Every *_free and *_close accepts NULL.
 *  - A sock_host may be used from several threads at once. Of a container or process, signal, kill,
 *    pause and resume may be called beside one waiting thread; all else needs a lock around it. A
 *    thread must not be cancelled (pthread_cancel) inside the library.
 */
#ifndef SOCK_SOCK_H
#define SOCK_SOCK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sock_host sock_host;
typedef struct sock_container sock_container;
typedef struct sock_process sock_process;
typedef struct sock_error sock_error;
typedef struct sock_checks sock_checks;
typedef struct sock_seccomp_builder sock_seccomp_builder;
typedef struct sock_seccomp_policy sock_seccomp_policy;

/* ---- Errors. All accessors accept NULL: code 0, stage "none", and empty strings. ---- */

enum {
  SOCK_INVALID_SPEC = 1, /* The description cannot be run as written. Nothing was started. */
  SOCK_UNSUPPORTED,      /* This kernel or machine lacks a feature that the call needs. */
  SOCK_DENIED,           /* A capability, permission or delegation is missing. */
  SOCK_NOT_FOUND,        /* No such image, program, mount source or container. */
  SOCK_EXISTS,           /* The name is in use. */
  SOCK_EXHAUSTED,        /* A pool, limit or disk is full. Retrying later may work. */
  SOCK_TIMED_OUT,        /* The deadline passed. */
  SOCK_LAUNCH_FAILED,    /* The child died before the payload ran; see the stage. */
  SOCK_CLOSED,           /* The container, or the process at the other end, is gone. */
  SOCK_CORRUPT,          /* Stored state or a received message failed validation. */
  SOCK_IO                /* Any other failed system call. */
};
int sock_error_code(const sock_error* error);
const char* sock_error_code_name(const sock_error* error); /* "not_found" */
const char* sock_error_stage(const sock_error* error);     /* the step that failed: "rootfs" */
int sock_error_errno(const sock_error* error);             /* 0: the kernel refused nothing */
const char* sock_error_subject(const sock_error* error); /* the path, name or option it is about */
const char* sock_error_message(const sock_error* error); /* all of it, in one line for people */
const char* sock_error_hint(const sock_error* error);    /* what to do about it; may be empty */
void sock_error_free(sock_error* error);

/* ---- The host: everything else is made from one, and must be freed before it is closed. ---- */

enum {
  SOCK_CGROUPS_AUTOMATIC = 0,
  SOCK_CGROUPS_V2,
  SOCK_CGROUPS_V1,
  SOCK_CGROUPS_HYBRID,
  SOCK_CGROUPS_NONE /* no limits, statistics or pausing */
};

typedef struct sock_host_options {
  size_t size;
  const char* state_dir;      /* required; made with mode 0700 and owned by this library */
  const char* libexec_dir;    /* of sock-init and sock-janitor; NULL: where they were installed */
  const char* cgroup_parent;  /* a delegated cgroup; NULL: the caller's, or one above it */
  uint32_t cgroup_backend;    /* SOCK_CGROUPS_* */
  uint32_t cgroup_reserve;    /* prepared groups kept for the next containers; 0: 16 */
  const char* const* without; /* kernel features to treat as missing, for tests */
} sock_host_options;
#define SOCK_HOST_OPTIONS_INIT \
  { .size = sizeof(sock_host_options) }

/* What dead hosts had left behind, and was removed. */
typedef struct sock_recovery {
  size_t size;
  uint64_t hosts;
  uint64_t processes;
  uint64_t cgroups;
  uint64_t files;
} sock_recovery;
#define SOCK_RECOVERY_INIT \
  { .size = sizeof(sock_recovery) }

/* Recovers what dead hosts left in the state directory, too. Starts no thread; starts one small
 * process that cleans up when the caller dies. */
int sock_host_open(const sock_host_options* options, sock_host** ret_host, sock_error** error);
const char* sock_host_cgroup_backend(const sock_host* host); /* "v2"; "" for NULL */
void sock_host_close(sock_host* host);
/* Removes what dead hosts left in a state directory; living ones are untouched. `ret_recovery` may
 * be NULL. */
int sock_host_recover(const char* state_dir, sock_recovery* ret_recovery, sock_error** error);

/* ---- The doctor: what this machine offers, and what is lost without the rest ---- */

enum {
  SOCK_CHECK_OK = 0,
  SOCK_CHECK_DEGRADED, /* works, with the loss named */
  SOCK_CHECK_FAILED    /* containers cannot start */
};
typedef struct sock_check_result {
  size_t size;
  const char* name;   /* "detached_roots"; names a feature for `without` of sock_host_options */
  const char* detail; /* what was found */
  const char* lost;   /* what is lost without it; "" when it is ok */
  const char* remedy; /* what to do; "" when it is ok */
  uint32_t outcome;   /* SOCK_CHECK_* */
  uint32_t reserved;
} sock_check_result;
#define SOCK_CHECK_RESULT_INIT \
  { .size = sizeof(sock_check_result) }

/* Probes features, cgroups and helper programs, and starts one container with these options;
 * changes nothing. What is missing is a result, not an error. */
int sock_check(const sock_host_options* options, sock_checks** ret_checks, sock_error** error);
size_t sock_checks_count(const sock_checks* checks); /* 0 for NULL */
/* The strings are the list's own. */
int sock_checks_get(const sock_checks* checks, size_t index, sock_check_result* ret_result,
                    sock_error** error);
void sock_checks_free(sock_checks* checks);

/* ---- System call policies: compiled once, for any number of containers ---- */

#define SOCK_SECCOMP_HANDLER "handler"
#define SOCK_SECCOMP_STRICT "strict"
#define SOCK_UNSAFE_SECCOMP_NONE "unsafe-none"

/* For sock_seccomp_builder_unsafe_allow(). */
enum {
  SOCK_UNSAFE_PTRACE = 1,
  SOCK_UNSAFE_NESTED_USER_NAMESPACES,
  SOCK_UNSAFE_MOUNT,
  SOCK_UNSAFE_IO_URING
};

/* Begins with a profile: SOCK_SECCOMP_HANDLER (also for NULL) or SOCK_SECCOMP_STRICT. The last rule
 * that names a system call decides. A name that no system call has is told by compile, as is a bad
 * `error_number` (1 to 4095). */
int sock_seccomp_builder_new(const char* base, sock_seccomp_builder** ret_builder,
                             sock_error** error);
int sock_seccomp_builder_deny(sock_seccomp_builder* builder, const char* syscall, int error_number,
                              sock_error** error);
int sock_seccomp_builder_unsafe_allow(sock_seccomp_builder* builder, uint32_t what,
                                      sock_error** error);
int sock_seccomp_builder_unsafe_allow_syscall(sock_seccomp_builder* builder, const char* syscall,
                                              sock_error** error);
int sock_seccomp_builder_compile(const sock_seccomp_builder* builder,
                                 sock_seccomp_policy** ret_policy, sock_error** error);
void sock_seccomp_builder_free(sock_seccomp_builder* builder);
/* Containers that were made with it keep what they need of it. */
void sock_seccomp_policy_free(sock_seccomp_policy* policy);

/* ---- What a container is made of ---- */

#define SOCK_HOST_IMAGE "host"    /* rootfs_base: the machine's own /usr, read-only */
#define SOCK_UNLIMITED UINT64_MAX /* where 0 stands for another default */

/* Limits of the whole container. Part of other structures and so never growing: later limits will
 * take reserved fields, which must be zero. */
typedef struct sock_limits {
  uint64_t memory_max;    /* bytes; 0: no limit */
  uint64_t swap_max;      /* bytes on top of memory_max; 0: no swap; SOCK_UNLIMITED */
  uint64_t cpu_quota_us;  /* CPU time per period; 0: no limit */
  uint64_t cpu_period_us; /* 0: 100000 */
  uint32_t cpu_weight;    /* 1 to 10000; 0: not set */
  uint32_t pids_max;      /* processes and threads; 0: 256; UINT32_MAX: no limit */
  uint64_t reserved[7];
} sock_limits;

enum { SOCK_BIND_WRITABLE = 1 };
typedef struct sock_bind {
  const char* source; /* absolute path on the host */
  const char* target; /* absolute path in the container */
  uint64_t flags;     /* SOCK_BIND_* */
} sock_bind;

/* An empty, writable tmpfs; its content counts for the memory limit. */
typedef struct sock_tmpfs {
  const char* target;  /* absolute path in the container */
  uint64_t size_max;   /* bytes; 0: 64 MiB */
  uint64_t inodes_max; /* 0: one for each 4 KiB of size_max, at least 1024, at most 1048576 */
  uint32_t mode;       /* 0: 01777 */
  uint32_t reserved;
} sock_tmpfs;

/* Soft and hard limit alike. */
typedef struct sock_rlimit {
  const char* name; /* "nofile", "core", "fsize": see getrlimit(2) */
  uint64_t value;   /* SOCK_UNLIMITED: none */
} sock_rlimit;

typedef struct sock_named_fd {
  const char* name; /* listed in the payload's variable SOCK_FDS */
  int fd;
} sock_named_fd;

/* One line of /proc/PID/uid_map. */
typedef struct sock_id_range {
  uint32_t inside;
  uint32_t outside;
  uint32_t count;
} sock_id_range;

enum {
  SOCK_NETWORK_ISOLATED = 0, /* none at all */
  SOCK_NETWORK_LOOPBACK,     /* one of its own, with 127.0.0.1 and ::1 up */
  SOCK_NETWORK_JOIN,         /* the namespace of `network_fd` */
  SOCK_UNSAFE_NETWORK_HOST   /* the host's network, loopback services and abstract sockets */
};
enum {
  SOCK_INIT_REAPER = 0, /* a tiny pid 1 that reaps orphans, forwards signals, ends with the host */
  SOCK_INIT_NONE        /* the payload is pid 1, and is written for it */
};
enum {
  SOCK_MOUNTS_EMPTY = 0, /* the host's empty mount namespace: cheapest */
  SOCK_MOUNTS_OWN        /* one of its own: for payloads that mount */
};
/* For `unsafe_shared`: namespaces of the caller's that it keeps. */
enum {
  SOCK_UNSAFE_SHARED_PID = 1, /* sees, and may signal, every process of its user; no init */
  SOCK_UNSAFE_SHARED_IPC = 2,
  SOCK_UNSAFE_SHARED_UTS = 4,
  SOCK_UNSAFE_SHARED_CGROUP = 8
};
/* For `flags` of sock_container_spec and sock_exec_spec. */
enum {
  SOCK_IDS_AS_GIVEN = 1, /* uid and gid 0 mean 0, not the default */
  SOCK_TERMINAL = 2      /* a terminal of its own instead of `stdio` */
};

typedef struct sock_container_spec {
  size_t size;
  uint64_t flags;              /* SOCK_IDS_AS_GIVEN, SOCK_TERMINAL */
  const char* name;            /* required; unique on its host */
  const char* rootfs_base;     /* required; an absolute directory, or SOCK_HOST_IMAGE */
  const char* rootfs_handler;  /* mounted at /handler; NULL: none */
  const char* const* packages; /* each mounted at /packages/<last path component> */
  const sock_bind* binds;
  size_t bind_count;
  const char* const* argv; /* required; argv[0] is absolute, or looked up in PATH of `env` */
  const char* const* env;  /* "NAME=value"; nothing is inherited */
  const char* cwd;         /* NULL: "/" */
  const char* hostname;    /* NULL: "sock" */
  uint32_t uid;            /* inside the container; 0: 65534, unless SOCK_IDS_AS_GIVEN */
  uint32_t gid;
  sock_limits limits;
  uint32_t network;         /* SOCK_NETWORK_* */
  int network_fd;           /* for SOCK_NETWORK_JOIN */
  const char* seccomp;      /* SOCK_SECCOMP_*; NULL: SOCK_SECCOMP_HANDLER */
  const int* stdio;         /* three descriptors, -1 for /dev/null; NULL: /dev/null for all */
  const sock_named_fd* fds; /* the first becomes 3, the next 4, and so on */
  size_t fd_count;
  uint32_t init;                /* SOCK_INIT_* */
  uint16_t terminal_rows;       /* with SOCK_TERMINAL; 0: 24 */
  uint16_t terminal_columns;    /* with SOCK_TERMINAL; 0: 80 */
  uint64_t time_limit_ms;       /* killed this long after its start; 0: never */
  const sock_id_range* uid_map; /* both maps: a user namespace; none: the caller's own */
  size_t uid_map_count;
  const sock_id_range* gid_map;
  size_t gid_map_count;
  const sock_tmpfs* tmpfs; /* NULL: /tmp and /dev/shm, 64 MiB each; not NULL: these, or none */
  size_t tmpfs_count;
  const sock_rlimit* rlimits; /* core is 0 unless named here */
  size_t rlimit_count;
  const uint32_t* groups; /* supplementary; refused by a host without root */
  size_t group_count;
  const char* const* unsafe_capabilities;    /* kept by the payload: "cap_net_raw" */
  const sock_seccomp_policy* seccomp_policy; /* instead of `seccomp`, which is then NULL */
  uint32_t mount_namespace;                  /* SOCK_MOUNTS_* */
  uint32_t unsafe_shared;                    /* SOCK_UNSAFE_SHARED_* */
} sock_container_spec;
#define SOCK_CONTAINER_SPEC_INIT \
  { .size = sizeof(sock_container_spec) }

/* A further process of a running container; the fields are those of sock_container_spec. */
typedef struct sock_exec_spec {
  size_t size;
  uint64_t flags;
  const char* const* argv; /* required */
  const char* const* env;
  const char* cwd;
  uint32_t uid;
  uint32_t gid;
  const int* stdio;
  uint16_t terminal_rows;
  uint16_t terminal_columns;
  const uint32_t* groups;
  size_t group_count;
  const char* const* unsafe_capabilities;
} sock_exec_spec;
#define SOCK_EXEC_SPEC_INIT \
  { .size = sizeof(sock_exec_spec) }

/* ---- What is known about it ---- */

enum {
  SOCK_RUNNING = 0, /* it had not ended when the time was over; value: 0 */
  SOCK_EXITED,      /* value: the exit code */
  SOCK_SIGNALED,    /* value: the signal's number, here and below */
  SOCK_OOM_KILLED,  /* the kernel killed it for the memory limit */
  SOCK_TIME_LIMIT,  /* its time limit passed */
  SOCK_LOST         /* the caller reaped the child first, and the kernel is too old to tell */
};
typedef struct sock_exit_status {
  size_t size;
  int kind; /* SOCK_RUNNING to SOCK_LOST */
  int value;
} sock_exit_status;
#define SOCK_EXIT_STATUS_INIT \
  { .size = sizeof(sock_exit_status) }

#define SOCK_NOT_COUNTED UINT64_MAX /* this machine's cgroups do not count it */
/* Use of resources by everything in the container since its start. */
typedef struct sock_stats {
  size_t size;
  uint64_t memory_current; /* bytes */
  uint64_t memory_peak;    /* bytes */
  uint64_t oom_kills;
  uint64_t cpu_total_ns;
  uint64_t cpu_user_ns;
  uint64_t cpu_system_ns;
  uint64_t cpu_throttled_ns;
  uint64_t pids_current;
} sock_stats;
#define SOCK_STATS_INIT \
  { .size = sizeof(sock_stats) }

typedef struct sock_timing {
  const char* stage; /* the names that errors use, too */
  uint64_t elapsed_ns;
} sock_timing;

/* ---- Containers ---- */

/* Returns after execve() succeeded in the child. On failure nothing is left behind, and the error
 * names the stage. */
int sock_container_create(sock_host* host, const sock_container_spec* spec,
                          sock_container** ret_container, sock_error** error);
const char* sock_container_name(const sock_container* container);
/* Readable when the first process has exited: for poll and epoll, instead of a blocking wait. */
int sock_container_pidfd(const sock_container* container);
int sock_container_pid(const sock_container* container);      /* for display only */
int sock_container_terminal(const sock_container* container); /* the master; -1: there is none */
/* How long each stage of the launch took, in order: copies at most `capacity` of them and returns
 * how many there are. */
size_t sock_container_timings(const sock_container* container, sock_timing* timings,
                              size_t capacity);

/* Blocks until the payload has ended. May be called again. */
int sock_container_wait(sock_container* container, sock_exit_status* ret_status,
                        sock_error** error);
/* Blocks at most `timeout_ms`; the status is SOCK_RUNNING when the payload has not ended by then.
 */
int sock_container_wait_for(sock_container* container, uint64_t timeout_ms,
                            sock_exit_status* ret_status, sock_error** error);
int sock_container_pause(sock_container* container, sock_error** error);
int sock_container_resume(sock_container* container, sock_error** error);
int sock_container_signal(sock_container* container, int number, sock_error** error);
/* Kills everything in it, paused or not, and returns once no process is left. */
int sock_container_kill(sock_container* container, sock_error** error);
int sock_container_stats(const sock_container* container, sock_stats* ret_stats,
                         sock_error** error);
/* Replaces all limits of the running container. */
int sock_container_update(sock_container* container, const sock_limits* limits, sock_error** error);
int sock_container_exec(sock_container* container, const sock_exec_spec* spec,
                        sock_process** ret_process, sock_error** error);
void sock_container_free(sock_container* container); /* kills whatever still runs in it */

/* ---- Further processes. Freeing one leaves it alone; it ends with its container at the latest.
 * ---- */

int sock_process_pidfd(const sock_process* process);
int sock_process_pid(const sock_process* process);
int sock_process_terminal(const sock_process* process);
int sock_process_wait(sock_process* process, sock_exit_status* ret_status, sock_error** error);
int sock_process_wait_for(sock_process* process, uint64_t timeout_ms, sock_exit_status* ret_status,
                          sock_error** error);
int sock_process_signal(sock_process* process, int number, sock_error** error);
void sock_process_free(sock_process* process);

#ifdef __cplusplus
}
#endif
#endif /* SOCK_SOCK_H */
