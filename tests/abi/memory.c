/* No exception crosses the border: each allocation of a call fails in turn, and every time the call
 * says so and leaves nothing behind. */
#include <stdatomic.h>

#include "expect.h"

extern void* __libc_malloc(size_t size);

/* Counts down; the allocation that finds 1 fails. */
static atomic_long until_failure = 0;

/* Stands in for the C library's, which operator new calls. */
void* malloc(size_t size) {
  if (atomic_load(&until_failure) > 0 && atomic_fetch_sub(&until_failure, 1) == 1) {
    errno = ENOMEM;
    return NULL;
  }
  return __libc_malloc(size);
}

/* What a call with a failing allocation gave. True when it made so many that one did fail. */
static int failed(long allocation, int result, sock_error* error, const void* made) {
  const long left = atomic_exchange(&until_failure, 0);
  if (result != 0 && result != -ENOMEM) {
    fprintf(stderr, "allocation %ld: %d, %s\n", allocation, result, sock_error_message(error));
    exit(1);
  }
  EXPECT((result == 0) == (made != NULL));
  EXPECT(result == 0 || left == 0);
  sock_error_free(error);
  return left == 0;
}

static int create_fails_at(sock_host* host, long allocation) {
  const char* list[4];
  const sock_container_spec spec = shell(list, "exec sleep 60");
  sock_container* container = NULL;
  sock_error* error = NULL;
  atomic_store(&until_failure, allocation);
  const int result = sock_container_create(host, &spec, &container, &error);
  const int done = failed(allocation, result, error, container);
  sock_container_free(container);
  return done;
}

static int exec_fails_at(sock_container* container, long allocation) {
  const char* const argv[] = {"/bin/sleep", "60", NULL};
  sock_exec_spec spec = SOCK_EXEC_SPEC_INIT;
  spec.argv = argv;
  sock_process* process = NULL;
  sock_error* error = NULL;
  atomic_store(&until_failure, allocation);
  const int result = sock_container_exec(container, &spec, &process, &error);
  const int done = failed(allocation, result, error, process);
  sock_process_free(process);
  return done;
}

/* A process that was started and then forgotten would keep the container from ending. */
static void no_process_is_lost(sock_host* host) {
  const char* list[4];
  const sock_container_spec spec = shell(list, "exec sleep 60");
  sock_container* container = NULL;
  sock_exit_status status = SOCK_EXIT_STATUS_INIT;
  EXPECT_OK(sock_container_create(host, &spec, &container, &error));
  long allocation = 1;
  while (exec_fails_at(container, allocation)) ++allocation;
  EXPECT(allocation > 10);
  EXPECT_OK(sock_container_kill(container, &error));
  EXPECT_OK(sock_container_wait_for(container, 20000, &status, &error));
  EXPECT(status.kind == SOCK_SIGNALED && status.value == SIGKILL);
  sock_container_free(container);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  sock_host* host = open_host(argv);
  long allocation = 1;
  while (create_fails_at(host, allocation)) ++allocation;
  EXPECT(allocation > 10);
  no_process_is_lost(host);
  sock_host_close(host);
  sock_recovery recovery = SOCK_RECOVERY_INIT;
  EXPECT_OK(sock_host_recover(argv[1], &recovery, &error));
  EXPECT(recovery.hosts == 0 && recovery.processes == 0 && recovery.cgroups == 0);
  return 0;
}
