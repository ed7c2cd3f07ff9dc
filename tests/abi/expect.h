/* What the C programs of this directory share: an expectation that ends the program, and a host in
 * the state directory that the first argument names. */
#ifndef SOCK_TESTS_ABI_EXPECT_H
#define SOCK_TESTS_ABI_EXPECT_H

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sock/sock.h"

#define EXPECT(condition)                                             \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                        \
    }                                                                 \
  } while (0)

/* The call succeeds; otherwise its error is printed. */
#define EXPECT_OK(call)                                                                         \
  do {                                                                                          \
    sock_error* error = NULL;                                                                   \
    if ((call) != 0) {                                                                          \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, sock_error_message(error)); \
      exit(1);                                                                                  \
    }                                                                                           \
  } while (0)

static inline sock_host* open_host(char** argv) {
  sock_host_options options = SOCK_HOST_OPTIONS_INIT;
  options.state_dir = argv[1];
  options.libexec_dir = argv[2];
  options.cgroup_reserve = 1;
  sock_host* host = NULL;
  EXPECT_OK(sock_host_open(&options, &host, &error));
  return host;
}

/* `sh -c script` as nobody. The list that it points to is the caller's. */
static inline sock_container_spec shell(const char* list[4], const char* script) {
  list[0] = "/bin/sh";
  list[1] = "-c";
  list[2] = script;
  list[3] = NULL;
  sock_container_spec spec = SOCK_CONTAINER_SPEC_INIT;
  spec.name = "abi";
  spec.rootfs_base = SOCK_HOST_IMAGE;
  spec.argv = list;
  return spec;
}

#endif
