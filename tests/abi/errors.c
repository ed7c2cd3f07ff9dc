/* What a failed call tells, and that nothing a caller forgets is more than an error. */
#include "expect.h"

static void a_missing_program_is_told_in_full(sock_host* host) {
  const char* list[4];
  sock_container_spec spec = shell(list, "");
  list[0] = "/no/such/program";
  sock_container* container = (sock_container*)&spec;
  sock_error* error = NULL;
  EXPECT(sock_container_create(host, &spec, &container, &error) == -ENOENT);
  EXPECT(container == (sock_container*)&spec);
  EXPECT(sock_error_code(error) == SOCK_NOT_FOUND);
  EXPECT(strcmp(sock_error_code_name(error), "not_found") == 0);
  EXPECT(strcmp(sock_error_stage(error), "exec") == 0);
  EXPECT(sock_error_errno(error) == ENOENT);
  EXPECT(strstr(sock_error_subject(error), "/no/such/program") != NULL);
  EXPECT(strstr(sock_error_message(error), "exec: ") == sock_error_message(error));
  EXPECT(strstr(sock_error_message(error), "/no/such/program") != NULL);
  sock_error_free(error);
  EXPECT(sock_container_create(host, &spec, &container, NULL) == -ENOENT);
}

static void expect_refused(sock_host* host, const sock_container_spec* spec, const char* subject) {
  sock_container* container = NULL;
  sock_error* error = NULL;
  EXPECT(sock_container_create(host, spec, &container, &error) == -EINVAL);
  EXPECT(container == NULL);
  EXPECT(sock_error_code(error) == SOCK_INVALID_SPEC);
  EXPECT(strcmp(sock_error_stage(error), "validate") == 0);
  EXPECT(sock_error_errno(error) == 0);
  EXPECT(sock_error_hint(error)[0] != '\0');
  if (strstr(sock_error_subject(error), subject) == NULL) {
    fprintf(stderr, "subject \"%s\", not \"%s\"\n", sock_error_subject(error), subject);
    exit(1);
  }
  sock_error_free(error);
}

static void what_no_enumerator_names_is_refused(sock_host* host) {
  const char* list[4];
  const sock_container_spec good = shell(list, "exit 0");
  sock_container_spec spec = good;
  spec.name = NULL;
  expect_refused(host, &spec, "name");
  spec = good;
  spec.rootfs_base = NULL;
  expect_refused(host, &spec, "rootfs_base");
  spec = good;
  spec.argv = NULL;
  expect_refused(host, &spec, "argv");
  spec = good;
  spec.flags = 1U << 20;
  expect_refused(host, &spec, "spec");
  spec = good;
  spec.network = 99;
  expect_refused(host, &spec, "network");
  spec = good;
  spec.seccomp = "none";
  expect_refused(host, &spec, "seccomp");
  spec = good;
  spec.init = 99;
  expect_refused(host, &spec, "init");
  spec = good;
  spec.bind_count = 1;
  expect_refused(host, &spec, "binds");
  const sock_bind unfinished = {.source = "/usr"};
  spec.binds = &unfinished;
  expect_refused(host, &spec, "bind");
  spec = good;
  spec.tmpfs_count = 1;
  expect_refused(host, &spec, "tmpfs");
  const sock_tmpfs nowhere = {.size_max = 4096};
  spec.tmpfs = &nowhere;
  expect_refused(host, &spec, "tmpfs");
  spec = good;
  const sock_rlimit nameless = {.value = 1};
  spec.rlimits = &nameless;
  spec.rlimit_count = 1;
  expect_refused(host, &spec, "rlimit");
  spec = good;
  spec.group_count = 1;
  expect_refused(host, &spec, "groups");
  spec = good;
  spec.mount_namespace = 99;
  expect_refused(host, &spec, "mount_namespace");
  spec = good;
  spec.unsafe_shared = 16;
  expect_refused(host, &spec, "unsafe_shared");
  expect_refused(host, NULL, "spec");
}

static void a_forgotten_argument_is_no_crash(sock_host* host) {
  const char* list[4];
  const sock_container_spec spec = shell(list, "exit 0");
  sock_container* container = NULL;
  EXPECT(sock_container_create(NULL, &spec, &container, NULL) == -EINVAL);
  EXPECT(sock_container_create(host, &spec, NULL, NULL) == -EINVAL);
  EXPECT(sock_host_open(NULL, NULL, NULL) == -EINVAL);
  EXPECT(sock_host_recover(NULL, NULL, NULL) == -EINVAL);
  EXPECT(sock_container_wait(NULL, NULL, NULL) == -EINVAL);
  EXPECT(sock_container_kill(NULL, NULL) == -EINVAL);
  EXPECT(sock_container_stats(NULL, NULL, NULL) == -EINVAL);
  EXPECT(sock_container_update(NULL, NULL, NULL) == -EINVAL);
  EXPECT(sock_container_exec(NULL, NULL, NULL, NULL) == -EINVAL);
  EXPECT(sock_process_wait(NULL, NULL, NULL) == -EINVAL);
  EXPECT(sock_process_signal(NULL, SIGTERM, NULL) == -EINVAL);
  EXPECT(sock_seccomp_builder_new(NULL, NULL, NULL) == -EINVAL);
  EXPECT(sock_seccomp_builder_deny(NULL, "mkdir", EPERM, NULL) == -EINVAL);
  EXPECT(sock_seccomp_builder_compile(NULL, NULL, NULL) == -EINVAL);
  EXPECT(sock_container_pidfd(NULL) == -1 && sock_container_pid(NULL) == -1);
  EXPECT(sock_container_timings(NULL, NULL, 0) == 0);
  EXPECT(sock_error_code(NULL) == 0 && sock_error_message(NULL)[0] == '\0');
  EXPECT(strcmp(sock_error_stage(NULL), "none") == 0);
  sock_error_free(NULL);
  sock_seccomp_builder_free(NULL);
  sock_seccomp_policy_free(NULL);
  sock_container_free(NULL);
  sock_process_free(NULL);
  sock_host_close(NULL);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  sock_host* host = open_host(argv);
  a_missing_program_is_told_in_full(host);
  what_no_enumerator_names_is_refused(host);
  a_forgotten_argument_is_no_crash(host);
  sock_host_close(host);
  return 0;
}
