/* A handler for native zygotes: counts primes, by a table that its zygote has made.
 *
 *   cc -shared -fPIC handler.c $(pkg-config --cflags sock) -o handler.so
 *   sockctl zygote create primes --runtime native -v "$PWD:/app" --preload /app/handler.so
 *   sockctl zygote fork primes -- handler 1000000
 */
#include "sock/handler.h"

#include <stdio.h>
#include <stdlib.h>

enum { limit = 10 * 1000 * 1000 };
static unsigned char is_composite[limit];

/* Once, in the zygote: every container finds the table made. */
static const char* make_table(void) {
  for (long i = 2; i * i < limit; ++i)
    for (long multiple = i * i; !is_composite[i] && multiple < limit; multiple += i)
      is_composite[multiple] = 1;
  return NULL;
}

/* In each container. */
static int count_primes(int argc, char** argv) {
  const long end = argc == 2 ? atol(argv[1]) : 0;
  if (end < 1 || end > limit) {
    fprintf(stderr, "usage: %s NUMBER, at most %d\n", argv[0], limit);
    return 2;
  }
  long count = 0;
  for (long i = 2; i < end; ++i) count += !is_composite[i];
  printf("%ld primes below %ld\n", count, end);
  return 0;
}

const sock_handler sock_handler_v1 = {
    .size = sizeof(sock_handler), .init = make_table, .main = count_primes};
