/* The fields of a spec that were added after the first release, and policies of one's own. */
#include "output.h"

/* Runs `script` in a container like `spec`, and expects exactly this output. */
static void prints(sock_host* host, sock_container_spec spec, const char* script,
                   const char* expected) {
  const char* list[4];
  const sock_container_spec basic = shell(list, script);
  spec.argv = basic.argv;
  char output[512];
  run(host, spec, output, sizeof output);
  if (strcmp(output, expected) != 0) {
    fprintf(stderr, "%s\nprinted: %s\nexpected: %s", script, output, expected);
    exit(1);
  }
}

static sock_container_spec basic(void) {
  const char* list[4];
  sock_container_spec spec = shell(list, "");
  spec.argv = NULL; /* prints() has its own */
  return spec;
}

static void tmpfs_mounts_have_sizes(sock_host* host) {
  sock_container_spec spec = basic();
  const char* const sizes = "stat -f -c '%b %c' /tmp; stat -c %a /tmp; ls -d /mine 2>/dev/null";
  prints(host, spec, sizes, "16384 16384\n1777\n");
  const sock_tmpfs mounts[] = {
      {.target = "/tmp", .size_max = 1 << 20, .inodes_max = 100, .mode = 0755},
      {.target = "/mine"}};
  spec.tmpfs = mounts;
  spec.tmpfs_count = 2;
  prints(host, spec, sizes, "256 100\n755\n/mine\n");
  spec.tmpfs_count = 0;
  prints(host, spec, "touch /tmp/x 2>/dev/null || echo none", "none\n");
}

static void rlimits_and_groups_are_set(sock_host* host) {
  sock_container_spec spec = basic();
  const sock_rlimit rlimits[] = {{.name = "nofile", .value = 77},
                                 {.name = "fsize", .value = SOCK_UNLIMITED}};
  const uint32_t groups[] = {7, 9};
  spec.rlimits = rlimits;
  spec.rlimit_count = 2;
  prints(host, spec, "ulimit -n; ulimit -f; ulimit -c", "77\nunlimited\n0\n");
  spec.groups = groups;
  spec.group_count = 2;
  prints(host, spec, "id -G", "65534 7 9\n");
}

static void a_capability_can_be_kept(sock_host* host) {
  sock_container_spec spec = basic();
  const char* const script = "grep -E 'Cap(Eff|Bnd)' /proc/self/status | cut -f2";
  prints(host, spec, script, "0000000000000000\n0000000000000000\n");
  const char* const kept[] = {"cap_net_raw", NULL};
  spec.unsafe_capabilities = kept;
  prints(host, spec, script, "0000000000002000\n0000000000002000\n");
}

static void namespaces_are_its_own_or_shared(sock_host* host) {
  sock_container_spec spec = basic();
  char own_name[256] = "";
  EXPECT(gethostname(own_name, sizeof own_name - 1) == 0);
  strcat(own_name, "\n");
  spec.unsafe_shared = SOCK_UNSAFE_SHARED_UTS;
  prints(host, spec, "hostname", own_name);
  spec.unsafe_shared = 0;
  /* Of its own: something is mounted at its root. */
  const char* const script = "grep -c ' / ' /proc/self/mountinfo | head -1";
  spec.mount_namespace = SOCK_MOUNTS_OWN;
  char output[64];
  const char* list[4];
  sock_container_spec mounting = shell(list, script);
  mounting.mount_namespace = SOCK_MOUNTS_OWN;
  run(host, mounting, output, sizeof output);
  EXPECT(atoi(output) >= 1);
}

static sock_seccomp_policy* compiled(sock_seccomp_builder* builder) {
  sock_seccomp_policy* policy = NULL;
  EXPECT_OK(sock_seccomp_builder_compile(builder, &policy, &error));
  sock_seccomp_builder_free(builder);
  return policy;
}

static void a_policy_refuses_what_it_says(sock_host* host) {
  sock_container_spec spec = basic();
  const char* const script = "mkdir /tmp/x 2>/dev/null && echo made || echo refused";
  prints(host, spec, script, "made\n");
  sock_seccomp_builder* builder = NULL;
  EXPECT_OK(sock_seccomp_builder_new(SOCK_SECCOMP_STRICT, &builder, &error));
  EXPECT_OK(sock_seccomp_builder_deny(builder, "mkdir", EPERM, &error));
  EXPECT_OK(sock_seccomp_builder_deny(builder, "mkdirat", EPERM, &error));
  EXPECT_OK(sock_seccomp_builder_unsafe_allow(builder, SOCK_UNSAFE_PTRACE, &error));
  EXPECT_OK(sock_seccomp_builder_unsafe_allow_syscall(builder, "mlock", &error));
  sock_seccomp_policy* policy = compiled(builder);
  spec.seccomp_policy = policy;
  prints(host, spec, script, "refused\n");
  spec.seccomp = SOCK_SECCOMP_STRICT; /* which of the two? */
  EXPECT(sock_container_create(host, &spec, &(sock_container*){NULL}, NULL) == -EINVAL);
  sock_seccomp_policy_free(policy);
}

static void a_policy_outlives_its_handle(sock_host* host) {
  const char* list[4];
  sock_container_spec spec = shell(list, "exec sleep 60");
  sock_seccomp_builder* builder = NULL;
  EXPECT_OK(sock_seccomp_builder_new(NULL, &builder, &error));
  sock_seccomp_policy* policy = compiled(builder);
  spec.seccomp_policy = policy;
  sock_container* container = NULL;
  EXPECT_OK(sock_container_create(host, &spec, &container, &error));
  sock_seccomp_policy_free(policy);
  const uint32_t groups[] = {5};
  const char* const argv[] = {"/bin/sh", "-c", "test \"$(id -G)\" = '65534 5'", NULL};
  sock_exec_spec further = SOCK_EXEC_SPEC_INIT;
  further.argv = argv;
  further.groups = groups;
  further.group_count = 1;
  sock_process* process = NULL; /* gets the container's filter */
  sock_exit_status status = SOCK_EXIT_STATUS_INIT;
  EXPECT_OK(sock_container_exec(container, &further, &process, &error));
  EXPECT_OK(sock_process_wait_for(process, 20000, &status, &error));
  EXPECT(status.kind == SOCK_EXITED && status.value == 0);
  sock_process_free(process);
  sock_container_free(container);
}

static void mistakes_in_a_policy_are_told(void) {
  sock_seccomp_builder* builder = NULL;
  sock_seccomp_policy* policy = NULL;
  sock_error* error = NULL;
  EXPECT(sock_seccomp_builder_new("loose", &builder, NULL) == -EINVAL && builder == NULL);
  EXPECT_OK(sock_seccomp_builder_new(SOCK_SECCOMP_HANDLER, &builder, &error));
  EXPECT(sock_seccomp_builder_unsafe_allow(builder, 99, NULL) == -EINVAL);
  EXPECT(sock_seccomp_builder_deny(builder, NULL, EPERM, NULL) == -EINVAL);
  EXPECT_OK(sock_seccomp_builder_deny(builder, "mkdri", EPERM, &error));
  EXPECT(sock_seccomp_builder_compile(builder, &policy, &error) == -EINVAL && policy == NULL);
  EXPECT(strcmp(sock_error_stage(error), "seccomp") == 0);
  EXPECT(strcmp(sock_error_subject(error), "mkdri") == 0);
  sock_error_free(error);
  sock_seccomp_builder_free(builder);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  sock_host* host = open_host(argv);
  tmpfs_mounts_have_sizes(host);
  rlimits_and_groups_are_set(host);
  a_capability_can_be_kept(host);
  namespaces_are_its_own_or_shared(host);
  a_policy_refuses_what_it_says(host);
  a_policy_outlives_its_handle(host);
  mistakes_in_a_policy_are_told();
  sock_host_close(host);
  return 0;
}
