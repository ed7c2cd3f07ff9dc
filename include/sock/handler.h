/* What a shared object implements to be loaded into a native zygote (sock/zygote.hpp): one
 * structure of functions. Each may be NULL, but one of `main` and `handle` must be set.
 *
 *   #include <sock/handler.h>
 *   static int hello(int argc, char** argv) { return puts("hello") < 0; }
 *   const sock_handler sock_handler_v1 = {.size = sizeof(sock_handler), .main = hello};
 *
 *   cc -shared -fPIC hello.c -o hello.so
 *
 * For C11 and newer, and for C++ (with designated initializers: C++20).
 *
 * Conventions
 *  - Memory that is passed in belongs to the caller and is valid for the length of the call.
 *    Memory that is passed out belongs to the handler: nothing here frees it.
 *  - All functions are called by one and the same thread, never two at a time.
 *  - A zygote can only be forked while that is its only thread: `init` and the constructors of
 *    the object leave no thread and no process behind. In a container a handler may start any.
 *  - No C++ exception may leave a function: like every one that nobody catches, it ends the
 *    process.
 *  - New members come at the end. An object compiled with an older, smaller structure stays
 *    valid; one with a newer is loaded if what this version does not know is zero.
 */
#ifndef SOCK_HANDLER_H
#define SOCK_HANDLER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes and their number. */
typedef struct sock_text {
  const char* data;
  size_t size;
} sock_text;

typedef struct sock_handler {
  size_t size; /* sizeof(sock_handler) */

  /* Called once, in the zygote, after the object's constructors: what every container shall have
   * done already. Returns NULL, or why the object cannot be used, in a text that stays valid. */
  const char* (*init)(void);

  /* Called in each container before it knows its work, for what siblings must not share: seeds,
   * tokens, descriptors. The C library's rand(), random() and drand48() have been seeded anew. */
  void (*after_fork)(void);

  /* The program that a container runs. Its arguments are the container's: argv[0] is what the
   * object was called by. Returning ends it as in C: with the hooks of atexit(), also those that
   * were registered in the zygote. */
  int (*main)(int argc, char** argv);

  /* Answers one event; called for each that comes over the channel (the descriptor that SOCK_FDS
   * names "channel", a line of JSON each way). The event is JSON, checked, with a NUL behind it.
   * Returns 0 with the result, which must be JSON as well, or anything else with a message for
   * people, or none. What *result refers to must stay as it is until the next call. */
  int (*handle)(sock_text event, sock_text* result);
} sock_handler;

/* The object's own definition, exported whatever is hidden by default. */
__attribute__((visibility("default"))) extern const sock_handler sock_handler_v1;

#ifdef __cplusplus
}
#endif

#endif
