/* Every verb once, on real containers. */
#include <poll.h>
#include <unistd.h>

#include "expect.h"
#include "output.h"

static int has_cgroups(const sock_host* host) {
  return strcmp(sock_host_cgroup_backend(host), "none") != 0;
}

static void the_payload_sees_what_the_spec_says(sock_host* host) {
  const char* list[4];
  sock_container_spec spec =
      shell(list, "echo $(id -u) $(id -g) $WORD $(pwd) $(hostname) $SOCK_FDS; ls /there; exit 3");
  const char* const env[] = {"PATH=/usr/bin:/bin", "WORD=hello", NULL};
  const sock_bind bind = {.source = "/usr/include/linux", .target = "/there"};
  const sock_named_fd fd = {.name = "extra", .fd = 2};
  spec.env = env;
  spec.cwd = "/usr";
  spec.hostname = "elsewhere";
  spec.gid = 7;
  spec.binds = &bind;
  spec.bind_count = 1;
  spec.fds = &fd;
  spec.fd_count = 1;
  spec.seccomp = SOCK_SECCOMP_STRICT;
  char output[256];
  const sock_exit_status status = run(host, spec, output, sizeof output);
  const char* const first = "65534 7 hello /usr elsewhere extra\n";
  if (strncmp(output, first, strlen(first)) != 0 || strlen(output) == strlen(first)) {
    fprintf(stderr, "printed: %s", output);
    exit(1);
  }
  EXPECT(status.kind == SOCK_EXITED && status.value == 3);
}

static void root_takes_a_flag(sock_host* host) {
  const char* list[4];
  sock_container_spec spec = shell(list, "id -u; id -g");
  char output[64];
  spec.flags = SOCK_IDS_AS_GIVEN;
  run(host, spec, output, sizeof output);
  EXPECT(strcmp(output, "0\n0\n") == 0);
}

static void a_time_limit_ends_it(sock_host* host) {
  const char* list[4];
  sock_container_spec spec = shell(list, "exec sleep 60");
  char output[64];
  spec.time_limit_ms = 50;
  EXPECT(run(host, spec, output, sizeof output).kind == SOCK_TIME_LIMIT);
}

static void its_handle_answers(const sock_container* container) {
  EXPECT(strcmp(sock_container_name(container), "abi") == 0);
  EXPECT(sock_container_pidfd(container) >= 0 && sock_container_pid(container) > 1);
  EXPECT(sock_container_terminal(container) == -1);
  sock_timing timings[64];
  const size_t count = sock_container_timings(container, timings, 64);
  EXPECT(count > 3 && count <= 64);
  EXPECT(strcmp(timings[0].stage, "none") != 0);
  sock_timing only = {0};
  EXPECT(sock_container_timings(container, &only, 1) == count && only.stage != NULL);
  EXPECT(sock_container_timings(container, NULL, 0) == count);
}

static void it_is_limited_and_counted(sock_container* container) {
  sock_stats stats = SOCK_STATS_INIT;
  EXPECT_OK(sock_container_pause(container, &error));
  EXPECT_OK(sock_container_resume(container, &error));
  EXPECT_OK(sock_container_stats(container, &stats, &error));
  EXPECT(stats.memory_current != 0 && stats.pids_current != 0);
  sock_limits limits = {.memory_max = 32 << 20, .pids_max = 8};
  EXPECT_OK(sock_container_update(container, &limits, &error));
}

static void a_further_process_runs_in_it(sock_container* container) {
  const char* const argv[] = {"/bin/sh", "-c", "test -t 0 && exit 5", NULL};
  sock_exec_spec spec = SOCK_EXEC_SPEC_INIT;
  spec.argv = argv;
  spec.flags = SOCK_TERMINAL;
  sock_process* process = NULL;
  sock_exit_status status = SOCK_EXIT_STATUS_INIT;
  EXPECT_OK(sock_container_exec(container, &spec, &process, &error));
  EXPECT(sock_process_pidfd(process) >= 0 && sock_process_pid(process) > 1);
  EXPECT(sock_process_terminal(process) >= 0);
  EXPECT_OK(sock_process_wait(process, &status, &error));
  EXPECT(status.kind == SOCK_EXITED && status.value == 5);
  sock_process_free(process);

  const char* const waiting[] = {"/bin/sleep", "60", NULL};
  spec.argv = waiting;
  spec.flags = 0;
  EXPECT_OK(sock_container_exec(container, &spec, &process, &error));
  EXPECT_OK(sock_process_wait_for(process, 0, &status, &error));
  EXPECT(status.kind == SOCK_RUNNING);
  EXPECT_OK(sock_process_signal(process, SIGKILL, &error));
  EXPECT_OK(sock_process_wait(process, &status, &error));
  EXPECT(status.kind == SOCK_SIGNALED && status.value == SIGKILL);
  sock_process_free(process);
}

static void a_container_lives_and_ends(sock_host* host) {
  const char* list[4];
  sock_container_spec spec = shell(list, "exec sleep 60");
  if (has_cgroups(host)) spec.limits.memory_max = 64 << 20;
  sock_container* container = NULL;
  sock_exit_status status = SOCK_EXIT_STATUS_INIT;
  EXPECT_OK(sock_container_create(host, &spec, &container, &error));
  its_handle_answers(container);
  EXPECT_OK(sock_container_wait_for(container, 0, &status, &error));
  EXPECT(status.kind == SOCK_RUNNING);
  if (has_cgroups(host)) it_is_limited_and_counted(container);
  a_further_process_runs_in_it(container);
  EXPECT_OK(sock_container_signal(container, SIGTERM, &error));
  struct pollfd ended = {.fd = sock_container_pidfd(container), .events = POLLIN};
  EXPECT(poll(&ended, 1, 20000) == 1);
  EXPECT_OK(sock_container_wait(container, &status, &error));
  EXPECT(status.kind == SOCK_SIGNALED && status.value == SIGTERM);
  EXPECT_OK(sock_container_kill(container, &error));
  sock_container_free(container);
}

static void nothing_is_left_to_recover(char** argv) {
  sock_recovery recovery = SOCK_RECOVERY_INIT;
  EXPECT_OK(sock_host_recover(argv[1], &recovery, &error));
  EXPECT(recovery.hosts == 0 && recovery.processes == 0 && recovery.cgroups == 0);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  sock_host* host = open_host(argv);
  the_payload_sees_what_the_spec_says(host);
  root_takes_a_flag(host);
  a_time_limit_ends_it(host);
  a_container_lives_and_ends(host);
  sock_host_close(host);
  nothing_is_left_to_recover(argv);
  return 0;
}
