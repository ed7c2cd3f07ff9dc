/* How many primes there are below the event, a number. The table is made once, in the zygote: every
 * instance has it in memory that it shares with the others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sock/handler.h>

enum { LIMIT = 10000000 };
static unsigned char is_composite[LIMIT];

static const char* make_table(void) {
  for (long i = 2; i * i < LIMIT; ++i)
    for (long j = i * i; !is_composite[i] && j < LIMIT; j += i) is_composite[j] = 1;
  return NULL;
}

static int count_below(sock_text event, sock_text* result) {
  static char answer[64];
  char* end;
  const long below = strtol(event.data, &end, 10);
  const int fits = end != event.data && below >= 0 && below <= LIMIT;
  long count = 0;
  for (long i = 2; fits && i < below; ++i) count += !is_composite[i];
  result->data = answer;
  result->size = (size_t)(fits ? sprintf(answer, "%ld", count)
                               : sprintf(answer, "give a number up to %d", LIMIT));
  return !fits;
}

const sock_handler sock_handler_v1 = {
    .size = sizeof(sock_handler), .init = make_table, .handle = count_below};
