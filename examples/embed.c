/* Starts a container with limits, pauses, resumes and kills it.
 *
 *   cc embed.c $(pkg-config --cflags --libs sock) -o embed
 *   ./embed STATE_DIR [LIBEXEC_DIR]
 */
#include <signal.h>
#include <stdio.h>

#include "sock/sock.h"

/* Says what was done, or why it could not be. A pointer to the error, because C may look at a
 * call's arguments in any order. */
static int done(const char* what, int result, sock_error** error) {
  if (result == 0)
    printf("%s\n", what);
  else
    fprintf(stderr, "embed: not %s: %s\n", what, sock_error_message(*error));
  sock_error_free(*error);
  *error = NULL;
  return result == 0;
}

static int run(sock_host* host) {
  const char* const argv[] = {"/bin/sleep", "60", NULL};
  sock_container_spec spec = SOCK_CONTAINER_SPEC_INIT;
  spec.name = "sleeper";
  spec.rootfs_base = SOCK_HOST_IMAGE;
  spec.argv = argv;
  spec.limits.memory_max = 64 << 20;
  spec.limits.pids_max = 16;

  sock_container* container = NULL;
  sock_exit_status status = SOCK_EXIT_STATUS_INIT;
  sock_error* error = NULL;
  int ok = done("started", sock_container_create(host, &spec, &container, &error), &error);
  ok = ok && done("paused", sock_container_pause(container, &error), &error);
  ok = ok && done("resumed", sock_container_resume(container, &error), &error);
  ok = ok && done("killed", sock_container_kill(container, &error), &error);
  ok = ok && done("waited for", sock_container_wait(container, &status, &error), &error);
  sock_container_free(container);
  return ok && status.kind == SOCK_SIGNALED && status.value == SIGKILL;
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  sock_host_options options = SOCK_HOST_OPTIONS_INIT;
  options.state_dir = argv[1];
  options.libexec_dir = argc > 2 ? argv[2] : NULL;
  sock_host* host = NULL;
  sock_error* error = NULL;
  if (!done("opened", sock_host_open(&options, &host, &error), &error)) return 1;
  const int ok = run(host);
  sock_host_close(host);
  return ok ? 0 : 1;
}
