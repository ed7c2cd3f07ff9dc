/* Runs a container to its end and keeps what it printed. */
#ifndef SOCK_TESTS_ABI_OUTPUT_H
#define SOCK_TESTS_ABI_OUTPUT_H

#include <unistd.h>

#include "expect.h"

/* Runs it to its end with its output in a pipe, of which at most `size` - 1 bytes are kept. */
static inline sock_exit_status run(sock_host* host, sock_container_spec spec, char* output,
                                   size_t size) {
  int ends[2];
  EXPECT(pipe(ends) == 0);
  const int stdio[3] = {-1, ends[1], ends[1]};
  spec.stdio = stdio;
  sock_container* container = NULL;
  sock_exit_status status = SOCK_EXIT_STATUS_INIT;
  EXPECT_OK(sock_container_create(host, &spec, &container, &error));
  close(ends[1]);
  size_t length = 0;
  for (ssize_t count; length < size - 1; length += (size_t)count) {
    count = read(ends[0], output + length, size - 1 - length);
    if (count <= 0) break;
  }
  output[length] = '\0';
  EXPECT_OK(sock_container_wait_for(container, 20000, &status, &error));
  sock_container_free(container);
  close(ends[0]);
  return status;
}

#endif
